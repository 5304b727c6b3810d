/** What pages show of telemetry. Times are milliseconds since 1970; columns have one entry for every place in time. */
import type { AttemptOutcome, FailureCode, RunRole } from './statuses.ts';
import type { GpuQuantity, MachineSample, TrainerQuantity } from './telemetry.ts';

/** By quantity. One that was never measured in this time is left out; null where nothing is known. */
export type Columns<Q extends string> = Partial<Record<Q, (number | null)[]>>;

export interface HostTelemetryView {
  /** Time that one place stands for; its values are means over it. */
  binMs: number;
  at: number[];
  machine: Columns<keyof MachineSample>;
  /** Those that the host had in this time. */
  gpus: { index: number; name: string | null; columns: Columns<GpuQuantity> }[];
}

export interface RunTelemetryView {
  binMs: number;
  at: number[];
  /** The trainer's processes. */
  trainer: Columns<TrainerQuantity>;
  /** The GPU of the trainer's slot, with whatever else ran there. */
  gpu: Columns<GpuQuantity>;
}

/** A bar of a host's timeline. */
export interface HostAttemptView {
  runId: string;
  attempt: number;
  /** Null where the agent has not said. */
  slot: number | null;
  claimedAt: number;
  startedAt: number | null;
  /** Null while it lasts. */
  endedAt: number | null;
  outcome: AttemptOutcome | null;
  failureCode: FailureCode | null;
  role: RunRole;
  seed: number;
  variantLabel: string;
  studyName: string;
}
export interface HostAttemptsView {
  /** By the time when they were taken. */
  attempts: HostAttemptView[];
  /** There are more in this time: the newest are given. */
  hasMore: boolean;
}
