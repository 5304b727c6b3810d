/** Measures trainers: what the processes of their groups use of cores and memory. */
import { readdirSync } from 'node:fs';
import { readProc } from './machine-meter.ts';
import { parseProcess, parseResidentBytes, TICKS_PER_S } from './proc.ts';

export interface TrainerUse {
  cpuPercent: number | null;
  rssBytes: number | null;
}

/** Ticks of each process by its number. */
type Ticks = Map<number, number>;

export interface TrainerMeterOptions {
  monotonicNow: () => number;
  /** Numbers of all processes; none where there is no /proc. */
  listProcesses?: () => number[];
  readProc?: (path: string) => string | null;
}

export class TrainerMeter {
  readonly #options: Required<TrainerMeterOptions>;
  #last: { atMs: number; groups: ReadonlyMap<number, Ticks> };

  constructor(options: TrainerMeterOptions) {
    this.#options = { listProcesses, readProc, ...options };
    this.#last = { atMs: options.monotonicNow(), groups: new Map() };
  }

  /**
   * @param groups of the trainers, each by the number of its leader
   * @returns for each group what it used since the last call; null for cores when it was not there then
   */
  measure(groups: readonly number[]): Map<number, TrainerUse> {
    const before = this.#last;
    const now = { atMs: this.#options.monotonicNow(), groups: this.#ticksOf(groups) };
    this.#last = now;
    const seconds = (now.atMs - before.atMs) / 1000;
    return new Map(
      groups.map((group) => [
        group,
        {
          cpuPercent: usedPercent(before.groups.get(group), now.groups.get(group), seconds),
          rssBytes: this.#residentBytes(now.groups.get(group)),
        },
      ]),
    );
  }

  /** Looking at every process costs some milliseconds: without trainers nobody does. */
  #ticksOf(groups: readonly number[]): Map<number, Ticks> {
    const found = new Map<number, Ticks>();
    if (groups.length === 0) return found;
    const wanted = new Set(groups);
    for (const pid of this.#options.listProcesses()) {
      const process = parseProcess(this.#options.readProc(`/proc/${pid}/stat`) ?? '');
      if (!process || !wanted.has(process.group)) continue;
      const members = found.get(process.group) ?? new Map();
      found.set(process.group, members.set(pid, process.ticks));
    }
    return found;
  }

  #residentBytes(members: Ticks | undefined): number | null {
    if (!members) return null;
    let sum = 0;
    for (const pid of members.keys()) sum += parseResidentBytes(this.#options.readProc(`/proc/${pid}/status`) ?? '');
    return sum;
  }
}

/** Of processes that came in between all work counts; that of those which have ended is not known any more. */
function usedPercent(before: Ticks | undefined, now: Ticks | undefined, seconds: number): number | null {
  if (!before || !now || seconds <= 0) return null;
  let used = 0;
  for (const [pid, ticks] of now) used += Math.max(0, ticks - (before.get(pid) ?? 0));
  return (100 * used) / TICKS_PER_S / seconds;
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    // Not Linux.
    return [];
  }
}
