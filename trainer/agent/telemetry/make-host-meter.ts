/** The meter of this machine. */
import type { Gpu } from '../gpus.ts';
import type { Log } from '../log.ts';
import { GpuStream, gpuStreamLimits } from './gpu-stream.ts';
import { HostMeter } from './host-meter.ts';
import { MachineMeter } from './machine-meter.ts';
import { TrainerMeter } from './trainer-meter.ts';

/** @param folder on the disk whose space is told */
export function makeHostMeter(gpus: readonly Gpu[], folder: string, log: Log): HostMeter {
  const monotonicNow = () => performance.now();
  return new HostMeter({
    gpus,
    stream: gpus.length === 0 ? null : new GpuStream({ gpus, limits: gpuStreamLimits, log }),
    machine: new MachineMeter({ folder, monotonicNow }),
    trainers: new TrainerMeter({ monotonicNow }),
  });
}
