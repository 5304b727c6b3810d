/**
 * What a host measures of itself every few seconds. Null stands for what a machine cannot tell: no /proc, a device without a sensor.
 * It is never made up as 0.
 */
import { z } from 'zod';
import { RunId } from './ids.ts';

const Percent = z.number().min(0).max(100).nullable();
const Amount = z.number().min(0).nullable();

/** Of one GPU, and what each number means; `index` is the GPU's in the host's report. */
export const GpuSample = z.object({
  index: z.int().min(0),
  utilisationPercent: Percent,
  memoryUsedBytes: Amount,
  memoryTotalBytes: Amount,
  powerW: Amount,
  temperatureC: z.number().nullable(),
});
export type GpuSample = z.infer<typeof GpuSample>;

/** Of one trainer with all processes of its group. */
export const TrainerSample = z.object({
  runId: RunId,
  attempt: z.int32().min(1),
  slot: z.int().min(0),
  /** Index of its slot's GPU; null without one. */
  gpu: z.int().min(0).nullable(),
  /** 100 is one core at work all the time. */
  cpuPercent: Amount,
  /** Memory that two of its processes share counts twice. */
  rssBytes: Amount,
});
export type TrainerSample = z.infer<typeof TrainerSample>;

/** Of the machine as a whole. */
export const MachineSample = z.object({
  /** Of all cores together. */
  cpuPercent: Percent,
  memoryUsedBytes: Amount,
  memoryTotalBytes: Amount,
  /** Of the disk that holds the attempts. */
  diskUsedBytes: Amount,
  diskFreeBytes: Amount,
  diskReadBytesPerS: Amount,
  diskWriteBytesPerS: Amount,
  networkReceivedBytesPerS: Amount,
  networkSentBytesPerS: Amount,
});
export type MachineSample = z.infer<typeof MachineSample>;

export const HostSample = z.object({
  machine: MachineSample,
  gpus: z.array(GpuSample).max(64),
  trainers: z.array(TrainerSample).max(64),
});
export type HostSample = z.infer<typeof HostSample>;

export const MACHINE_QUANTITIES = Object.keys(MachineSample.shape) as (keyof MachineSample)[];
export const GPU_QUANTITIES = [
  'utilisationPercent',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'powerW',
  'temperatureC',
] as const satisfies readonly (keyof GpuSample)[];
export const TRAINER_QUANTITIES = ['cpuPercent', 'rssBytes'] as const satisfies readonly (keyof TrainerSample)[];
export type GpuQuantity = (typeof GPU_QUANTITIES)[number];
export type TrainerQuantity = (typeof TRAINER_QUANTITIES)[number];

/** Seconds that a sample may stand for: the hub finds samples by this number. Means over a minute stand for 60. */
export const SAMPLE_WIDTHS_S = [1, 2, 5, 10, 15, 30] as const;
export const MINUTE_S = 60;

/** At most so many samples in one message. */
export const MAX_SAMPLE_BATCH = 60;

export const SampleBatch = z.object({
  /** Seconds that each sample stands for. */
  widthS: z.literal(SAMPLE_WIDTHS_S),
  samples: z
    .array(
      HostSample.extend({
        /** End of its time: milliseconds since 1970 on the hub's clock, as the agent knows it from the hello. */
        at: z.number().min(0).max(8.64e15),
      }),
    )
    .min(1)
    .max(MAX_SAMPLE_BATCH),
});
export type SampleBatch = z.infer<typeof SampleBatch>;
export interface SampleReply {
  ok: true;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The times that pages show, up to now. */
export const TELEMETRY_RANGES = {
  '15m': 15 * MINUTE_MS,
  '1h': HOUR_MS,
  '6h': 6 * HOUR_MS,
  '24h': 24 * HOUR_MS,
  '30d': 30 * 24 * HOUR_MS,
} as const;
export type TelemetryRange = keyof typeof TELEMETRY_RANGES;

/** A range that ends now, or one between two moments, in milliseconds since 1970. */
export const TelemetryWindow = z.union([
  z.strictObject({ range: z.enum(Object.keys(TELEMETRY_RANGES) as [TelemetryRange, ...TelemetryRange[]]) }),
  z
    .strictObject({ from: z.number().min(0).max(8.64e15), to: z.number().min(0).max(8.64e15) })
    .refine(({ from, to }) => to - from >= 1_000, 'A window is at least one second long.'),
]);
export type TelemetryWindow = z.infer<typeof TelemetryWindow>;
