/**
 * The record stream of one attempt. The trainer numbers its records from 1 and appends them to `records.jsonl`;
 * `(attempt, seq)` is at once the ack, the de-duplication key, the stored order and the browser's cursor.
 * After the trainer's end the agent is the file's only writer and appends the last record, `ended`.
 */
import { z } from 'zod';
import { CheckpointId, Sha256 } from './ids.ts';
import { AttemptOutcome, FailureCode } from './statuses.ts';
import { MAX_LOG_LINE } from './tunables.ts';
import { WireNumber } from './wire-number.ts';

const head = {
  seq: z.int32().min(1),
  /** Milliseconds since 1970 on the host's clock, within what a Date can hold. */
  at: z.number().min(0).max(8.64e15),
};

/** Names like `train/loss`, `val/top1`: a section, a slash, a metric. */
export const MetricName = z
  .string()
  .regex(/^[a-z0-9_]+(\/[a-z0-9_.-]+)+$/i, 'A metric name is section/metric.')
  .max(100);

export const StartedRecord = z.strictObject({
  ...head,
  kind: z.literal('started'),
  /** Optimiser updates already done: 0, or the resumed checkpoint's count. */
  stepsCompleted: z.int32().min(0),
  stepsPerEpoch: z.int32().min(1),
  totalSteps: z.int32().min(1),
  backend: z.string(),
  device: z.string(),
  /** Trainable parameters of the trained network. */
  parameterCount: z.int32().min(0),
});
export const MetricsRecord = z.strictObject({
  ...head,
  kind: z.literal('metrics'),
  /** Optimiser updates done when the values were taken: 1 after the first. */
  step: z.int32().min(0),
  /** Epochs done, fractional within an epoch. */
  epoch: z.number().min(0),
  values: z.record(MetricName, WireNumber),
});
export const LogRecord = z.strictObject({
  ...head,
  kind: z.literal('log'),
  level: z.enum(['info', 'warning', 'error', 'output']),
  line: z.string().max(MAX_LOG_LINE),
});
export const CheckpointFile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  sha256: Sha256,
  sizeBytes: z.int().min(0),
});
export type CheckpointFile = z.infer<typeof CheckpointFile>;
/** A manifest; the files travel over HTTP and the checkpoint counts as stored when all of them have arrived. */
export const CheckpointRecord = z.strictObject({
  ...head,
  kind: z.literal('checkpoint'),
  checkpointId: CheckpointId,
  stepsCompleted: z.int32().min(0),
  epoch: z.number().min(0),
  /** val/top1 in percent, null when nothing was validated yet. */
  top1: z.number().min(0).max(100).nullable(),
  /** True when top1 is the highest so far (ties: the earlier epoch stays best). */
  isBest: z.boolean(),
  files: z
    .array(CheckpointFile)
    .min(1)
    .refine((files) => new Set(files.map((f) => f.name)).size === files.length, 'Two files have the same name.'),
});
export const EndedRecord = z.strictObject({
  ...head,
  kind: z.literal('ended'),
  outcome: AttemptOutcome,
  failureCode: FailureCode.nullable(),
  /** One sentence for the user. */
  message: z.string().max(2000).nullable(),
  exitCode: z.int32().nullable(),
  signal: z.string().nullable(),
});
export const AttemptRecord = z.discriminatedUnion('kind', [
  StartedRecord,
  MetricsRecord,
  LogRecord,
  CheckpointRecord,
  EndedRecord,
]);
export type StartedRecord = z.infer<typeof StartedRecord>;
export type MetricsRecord = z.infer<typeof MetricsRecord>;
export type LogRecord = z.infer<typeof LogRecord>;
export type CheckpointRecord = z.infer<typeof CheckpointRecord>;
export type EndedRecord = z.infer<typeof EndedRecord>;
export type AttemptRecord = z.infer<typeof AttemptRecord>;

/** Files of a checkpoint, by role. `model` is what users download; the other two are what resuming needs. */
export const CHECKPOINT_FILES = {
  model: 'model.safetensors',
  state: 'state.safetensors',
  progress: 'progress.json',
} as const;

/** The first of the files of a set of labels; the others hold the labels and have this ending. */
export const LABEL_SET_FILE = 'labels.json';
export const LABELS_ENDING = '.labels';

/** What the trainer itself says when it ends in good order; anything else is judged by the agent from the exit. */
export const TRAINER_EXIT = { succeeded: 0, interrupted: 75, failed: 1 } as const;
