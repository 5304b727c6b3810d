/** One sample of all that this host can measure. */
import type { HostSample, TrainerSample } from '@mealtable/protocol/telemetry';
import type { Gpu } from '../gpus.ts';
import type { Slot } from '../host-report.ts';
import type { GpuStream } from './gpu-stream.ts';
import type { MachineMeter } from './machine-meter.ts';
import type { TrainerMeter } from './trainer-meter.ts';

/** A trainer at work. */
export interface PlacedTrainer extends Pick<TrainerSample, 'runId' | 'attempt'> {
  slot: Slot;
  /** Its process and, by the same number, its process group; null while it is being started. */
  pid: number | null;
}

export interface HostMeterOptions {
  gpus: readonly Gpu[];
  /** Null without GPUs. */
  stream: GpuStream | null;
  machine: MachineMeter;
  trainers: TrainerMeter;
}

export class HostMeter {
  readonly #options: HostMeterOptions;

  constructor(options: HostMeterOptions) {
    this.#options = options;
  }

  async measure(placed: readonly PlacedTrainer[]): Promise<HostSample> {
    const { gpus, stream, machine, trainers } = this.#options;
    const uses = trainers.measure(placed.flatMap(({ pid }) => pid ?? []));
    return {
      machine: await machine.measure(),
      gpus: stream?.take() ?? [],
      trainers: placed.map(({ runId, attempt, slot, pid }) => ({
        runId,
        attempt,
        slot: slot.index,
        gpu: gpus.find(({ uuid, index }) => slot.device === uuid || slot.device === String(index))?.index ?? null,
        ...((pid === null ? undefined : uses.get(pid)) ?? { cpuPercent: null, rssBytes: null }),
      })),
    };
  }

  async close(): Promise<void> {
    await this.#options.stream?.close();
  }
}
