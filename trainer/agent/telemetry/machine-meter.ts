/** Measures the machine as a whole: cores, memory, the disk of the attempts, disks and networks. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { MachineSample } from '@mealtable/protocol/telemetry';
import { type CpuTicks, parseCpuTicks, parseDisks, parseMemory, parseNetworks, ratesOf, type Traffic } from './proc.ts';

interface Counters {
  atMs: number;
  cpu: CpuTicks | null;
  disks: Traffic;
  networks: Traffic;
}

export interface MachineMeterOptions {
  /** On the disk whose space counts. */
  folder: string;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
  /** A file of /proc; null where there is none. */
  readProc?: (path: string) => string | null;
}

export class MachineMeter {
  readonly #options: Required<MachineMeterOptions>;
  #last: Counters;

  constructor(options: MachineMeterOptions) {
    this.#options = { readProc, ...options };
    this.#last = this.#count();
  }

  /** Rates are over the time since the last call, or since the start. */
  async measure(): Promise<MachineSample> {
    const [before, now] = [this.#last, this.#count()];
    this.#last = now;
    const seconds = (now.atMs - before.atMs) / 1000;
    const memory = parseMemory(this.#options.readProc('/proc/meminfo') ?? '');
    const disk = ratesOf(before.disks, now.disks, seconds);
    const network = ratesOf(before.networks, now.networks, seconds);
    return {
      cpuPercent: busyPercent(before.cpu, now.cpu),
      memoryUsedBytes: memory && memory.total - memory.available,
      memoryTotalBytes: memory?.total ?? null,
      ...(await this.#space()),
      diskReadBytesPerS: disk.in,
      diskWriteBytesPerS: disk.out,
      networkReceivedBytesPerS: network.in,
      networkSentBytesPerS: network.out,
    };
  }

  #count(): Counters {
    const read = (path: string) => this.#options.readProc(path) ?? '';
    return {
      atMs: this.#options.monotonicNow(),
      cpu: parseCpuTicks(read('/proc/stat')),
      disks: parseDisks(read('/proc/diskstats')),
      networks: parseNetworks(read('/proc/net/dev')),
    };
  }

  async #space(): Promise<Pick<MachineSample, 'diskUsedBytes' | 'diskFreeBytes'>> {
    try {
      const { blocks, bfree, bavail, bsize } = await statfs(this.#options.folder);
      return { diskUsedBytes: (blocks - bfree) * bsize, diskFreeBytes: bavail * bsize };
    } catch {
      // The folder's disk does not answer, or the folder is gone: what that means for runs is told elsewhere.
      return { diskUsedBytes: null, diskFreeBytes: null };
    }
  }
}

function busyPercent(before: CpuTicks | null, now: CpuTicks | null): number | null {
  if (!before || !now || now.total <= before.total) return null;
  const idle = Math.max(0, now.idle - before.idle);
  return Math.max(0, 100 * (1 - idle / (now.total - before.total)));
}

/** @returns null for a file that is not there (another system, a process that has ended) or that this user may not read */
export function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // ENOENT, ESRCH or EACCES: in each case there is nothing to measure.
    return null;
  }
}
