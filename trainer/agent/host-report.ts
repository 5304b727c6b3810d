/** What this host can do and has: machine, GPUs, slots, datasets and soft labels. Sent with every hello. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, hostname, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type HostReport, STOP_REASONS } from '@mealtable/protocol/agent-messages';
import { configFeatures } from '@mealtable/protocol/config-features';
import type { DatasetWatch } from './dataset-watch.ts';
import type { DeviceWatch } from './device-watch.ts';
import { type Gpu, listGpus } from './gpus.ts';
import type { LabelWatch } from './label-watch.ts';

/** What one run may use of the machine. */
export interface Slot {
  index: number;
  /** Value for CUDA_VISIBLE_DEVICES; null on a host without GPUs. */
  device: string | null;
  /** Cores for TensorFlow. */
  threads: number;
}

export interface Host {
  report: HostReport;
  slots: Slot[];
  gpus: Gpu[];
  /** Folders by dataset name; follows what happens to them. */
  datasets: Map<string, string>;
  /** Null where GPUs are shared with other programs. */
  devices: DeviceWatch | null;
}

export interface HostOptions {
  name: string | null;
  /** Null: one per GPU, or up to two on a CPU. */
  slots: number | null;
  /** What the host offers to be chosen by. */
  hostLabels: readonly string[];
  /** Published weights that it has or can fetch. */
  weights: readonly string[];
  /** Has looked at the datasets once. */
  datasets: DatasetWatch;
  labels: LabelWatch;
  /** An inherited CUDA_VISIBLE_DEVICES. */
  visibleDevices: string | undefined;
  /** An inherited MEALTABLE_ENGINE: 'cpu' keeps trainers from the native TensorFlow. */
  engine: string | undefined;
  /** Use GPUs on which other programs compute, too. */
  sharesGpus: boolean;
  watchDevices: (gpus: readonly Gpu[]) => DeviceWatch;
}

/** Looks at the machine. Done once at the start; only datasets and soft labels are looked at again later. */
export async function describeHost(options: HostOptions): Promise<Host> {
  const gpus = await listGpus(options.visibleDevices);
  const cpuCount = availableParallelism();
  const slotCount = options.slots ?? (gpus.length || Math.min(2, cpuCount));
  const devices = options.sharesGpus ? null : options.watchDevices(gpus);
  await devices?.refresh(new Set());
  return {
    devices,
    slots: makeSlots(slotCount, cpuCount, gpus),
    gpus,
    datasets: options.datasets.paths,
    report: {
      name: options.name ?? hostname(),
      platform: `${platform()} ${release()}`,
      cpuModel: cpus()[0]?.model.trim() || 'unknown',
      cpuCount,
      memoryBytes: totalmem(),
      gpus: gpus.map(({ driver, ...gpu }) => ({ ...gpu, ...(driver !== null && { driver }) })),
      problems: devices?.problems ?? [],
      slots: slotCount,
      backend: options.engine === 'cpu' ? 'cpu' : backendOfTrainers(),
      datasets: options.datasets.reports,
      configFeatures: [...configFeatures()],
      labelSets: options.labels.reports,
      labels: [...options.hostLabels],
      weights: [...options.weights],
      stopReasons: [...STOP_REASONS],
    },
  };
}

/** Slots share the cores evenly; with more slots than GPUs, several runs share a device. */
export function makeSlots(slotCount: number, cpuCount: number, gpus: Gpu[]): Slot[] {
  const threads = Math.max(1, Math.floor(cpuCount / slotCount));
  return Array.from({ length: slotCount }, (_, index) => ({
    index,
    device: gpus.length === 0 ? null : deviceOf(gpus[index % gpus.length]!),
    threads,
  }));
}

/** By UUID, whose meaning no order of counting changes; by number where the driver gives none. */
const deviceOf = ({ uuid, index }: Gpu) => (/^(GPU|MIG)-/.test(uuid) ? uuid : String(index));

/** 'tensorflow' when the native addon is in place, as the trainer will find it; else 'cpu', the slow fallback. */
function backendOfTrainers(): string {
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
    return existsSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node')) ? 'tensorflow' : 'cpu';
  } catch {
    // The package is not installed.
    return 'cpu';
  }
}
