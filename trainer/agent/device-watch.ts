/** Which of this host's GPUs other programs compute on: no run is started there, where it would be slow or out of memory at once. */
import type { Gpu } from './gpus.ts';
import { runNvidiaSmi } from './gpus.ts';
import type { Log } from './log.ts';

export interface ComputeProcess {
  gpuUuid: string;
  pid: number;
  /** Path of its program. */
  name: string;
}

/** A look costs a start of nvidia-smi; nudges come much more often than programs. */
const LOOK_EVERY_MS = 2_000;
const QUERY = ['--query-compute-apps=gpu_uuid,pid,process_name', '--format=csv,noheader,nounits'];
/** Serves the processes that compute and computes nothing itself. */
const MPS_SERVER = /nvidia-cuda-mps-server$/;

export interface DeviceWatchOptions {
  gpus: readonly Gpu[];
  /** Whether a process belongs to a trainer of this agent. */
  isOurs: (pid: number) => boolean;
  log: Log;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
  query?: () => Promise<string>;
}

export class DeviceWatch {
  readonly #options: DeviceWatchOptions;
  #taken = new Map<string, ComputeProcess>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
  }

  /** Sentences for the hub's report: one for every GPU that is taken. */
  get problems(): string[] {
    return this.#options.gpus.flatMap((gpu) => {
      const user = this.#taken.get(gpu.uuid);
      return user ? [explain(gpu, user)] : [];
    });
  }

  isTaken(device: string | null): boolean {
    return device !== null && this.#taken.has(device);
  }

  /**
   * Looks again, if the last look is long enough ago.
   * @param inUse devices on which trainers of this agent run: those are not judged, since a container shows their processes under
   * numbers that mean nothing inside it @returns whether `problems` changed
   */
  async refresh(inUse: ReadonlySet<string>): Promise<boolean> {
    const { gpus, isOurs, log, monotonicNow, query = () => runNvidiaSmi(QUERY) } = this.#options;
    if (gpus.length === 0 || monotonicNow() - this.#lookedAt < LOOK_EVERY_MS) return false;
    this.#lookedAt = monotonicNow();
    const before = this.problems;
    const foreign = parseComputeProcesses(await query()).filter(
      ({ gpuUuid, pid, name }) => !inUse.has(gpuUuid) && !MPS_SERVER.test(name) && !isOurs(pid),
    );
    this.#taken = new Map(foreign.map((process) => [process.gpuUuid, process]));
    const now = this.problems;
    for (const problem of now.filter((text) => !before.includes(text))) log(problem);
    return JSON.stringify(now) !== JSON.stringify(before);
  }
}

/** @param csv lines of UUID, number and program, which may hold commas itself */
export function parseComputeProcesses(csv: string): ComputeProcess[] {
  return csv.split('\n').flatMap((line) => {
    const [, gpuUuid, pid, name] = /^\s*([^,\s]+)\s*,\s*(\d+)\s*,\s*(.*?)\s*$/.exec(line) ?? [];
    return gpuUuid && pid && name !== undefined ? [{ gpuUuid, pid: Number(pid), name }] : [];
  });
}

const explain = (gpu: Gpu, { pid, name }: ComputeProcess) =>
  `GPU ${gpu.index} (${gpu.name}) is used by another program, process ${pid} (${name}): no run starts there until that has ended, unless the agent is started with --share-gpus.`;
