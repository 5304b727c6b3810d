/** The training loop: steps, metrics, a validation and a checkpoint after every epoch, and stops at step boundaries. */

import type { RunConfig } from '@mealtable/protocol/run-config';
import { STALL_AFTER_MS } from '@mealtable/protocol/tunables';
import type { Scalar } from '@tensorflow/tfjs';
import type { Batch } from '../data/loader.ts';
import { normalisePixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import { learningRateAt } from '../optim/schedule.ts';
import type { Progress } from './checkpoint.ts';
import { diverged } from './divergence.ts';
import type { RecordWriter } from './record-writer.ts';
import type { StepResult, Task } from './task.ts';
import { pixelsTensor, type Validation } from './validate.ts';

/** About so many points are recorded of a training metric, however long the run. */
const TRAIN_POINTS = 1000;
/** A record is written at least this often, steps permitting: the agent takes a longer silence for a stall. */
export const MAX_SILENCE_MS = STALL_AFTER_MS / 4;

export interface LoopContext {
  config: RunConfig;
  task: Task;
  training: {
    readonly stepsPerEpoch: number;
    start(step: number): void;
    take(step: number): Promise<Batch>;
  };
  /** Null when it was broken off because of `shouldStop`. */
  validate(): Promise<Validation | null>;
  /** Metrics of the memory taken so far. */
  peakMemory(): Promise<Record<string, number>>;
  /** Images that could not be read so far. */
  unreadableCount(): number;
  records: Pick<RecordWriter, 'write' | 'log'>;
  /** Writes weights and state to disk and records it. `top1` is null when these weights were not validated. */
  saveCheckpoint(checkpointId: string, progress: Progress, top1: number | null, isBest: boolean): Promise<void>;
  newCheckpointId(): string;
  /** Somebody wants the process to end. Asked between steps. */
  shouldStop(): boolean;
  /** False when the work is not wanted any more and no checkpoint should be written at a stop. */
  wantsCheckpoint(): boolean;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** Goes on from `progress` to the last epoch. Rejects with RunFailure `diverged` when the loss is no number any more. */
export async function runTraining(context: LoopContext, progress: Progress): Promise<'succeeded' | 'interrupted'> {
  const { config, training, shouldStop } = context;
  const { stepsPerEpoch } = training;
  const totalSteps = stepsPerEpoch * config.epochs;
  const meter = new StepMeter(context, Math.max(1, Math.floor(totalSteps / TRAIN_POINTS)));
  let at = progress;
  let saved = progress;
  for (;;) {
    const epochsDone = Math.floor(at.stepsCompleted / stepsPerEpoch);
    const epochEnded = at.stepsCompleted % stepsPerEpoch === 0;
    if (epochEnded && at.epochsValidated < epochsDone && !shouldStop()) {
      const validation = await context.validate();
      if (validation !== null) {
        at = saved = await finishEpoch(context, at, epochsDone, validation);
        meter.restart();
        continue;
      }
    }
    if (at.epochsValidated === config.epochs) return 'succeeded';
    if (shouldStop()) {
      if (at !== saved && context.wantsCheckpoint())
        await context.saveCheckpoint(context.newCheckpointId(), at, null, false);
      return 'interrupted';
    }
    await meter.runStep(at.stepsCompleted, totalSteps);
    at = { ...at, stepsCompleted: at.stepsCompleted + 1 };
  }
}

/** Records the validation and saves the checkpoint of an epoch. */
async function finishEpoch(
  context: LoopContext,
  progress: Progress,
  epoch: number,
  { top1, top5, loss }: Validation,
): Promise<Progress> {
  const { records, config } = context;
  const unreadable = context.unreadableCount();
  records.write({
    kind: 'metrics',
    step: progress.stepsCompleted,
    epoch,
    values: {
      'val/top1': top1,
      'val/top5': top5,
      'val/loss': loss,
      ...(unreadable > 0 ? { 'data/unreadable_images': unreadable } : {}),
      ...(await context.peakMemory()),
    },
  });
  if (!Number.isFinite(loss)) throw diverged('validation loss', loss, progress.stepsCompleted);
  const isBest = progress.best === null || top1 > progress.best.top1;
  const checkpointId = context.newCheckpointId();
  const best = isBest ? { top1, epoch, checkpointId } : progress.best!;
  const reached = { ...progress, epochsValidated: epoch, best };
  await context.saveCheckpoint(checkpointId, reached, top1, isBest);
  records.log(
    'info',
    `Epoch ${epoch} of ${config.epochs}: top-1 ${top1.toFixed(2)} %, best ${best.top1.toFixed(2)} % after epoch ${best.epoch}.`,
  );
  return reached;
}

/** Runs steps and records their numbers, every `every` steps. */
class StepMeter {
  readonly #context: LoopContext;
  readonly #every: number;
  #images = 0;
  #steps = 0;
  #waitMs = 0;
  #since: number;

  constructor(context: LoopContext, every: number) {
    this.#context = context;
    this.#every = every;
    this.#since = context.now();
  }

  /** Forgets the time since the last record, which was not spent on training. */
  restart(): void {
    this.#images = this.#steps = this.#waitMs = 0;
    this.#since = this.#context.now();
  }

  async runStep(step: number, totalSteps: number): Promise<void> {
    const { training, task, config, now } = this.#context;
    const epoch = Math.floor(step / training.stepsPerEpoch);
    const learningRate = learningRateAt(config.optimizer, epoch, config.epochs);
    const asked = now();
    const batch = await training.take(step);
    this.#waitMs += now() - asked;
    // The step below holds this thread until it is done; the next batch is loaded meanwhile.
    if (step + 1 < totalSteps) training.start(step + 1);
    const result = tf.tidy(() => {
      const labels = tf.tensor1d(batch.labels, 'int32');
      return task.step(normalisePixels(pixelsTensor(batch)), labels, tf.scalar(learningRate)) as never;
    }) as StepResult;
    this.#images += batch.size;
    this.#steps++;
    const done = step + 1;
    try {
      // Looked at in every step, not only in recorded ones: a stop may ask for a checkpoint after any of them. On a CPU the
      // value is there already; on a GPU, the wait for it costs little beside a step, and the next batch loads meanwhile.
      const [loss] = await result.loss.data();
      const isRecorded = done % this.#every === 0 || now() - this.#since >= MAX_SILENCE_MS;
      if (isRecorded || !Number.isFinite(loss)) await this.#record(result, done, learningRate);
      if (!Number.isFinite(loss)) throw diverged('training loss', loss!, done);
    } finally {
      tf.dispose(result as never);
    }
  }

  async #record({ loss, parts }: StepResult, done: number, learningRate: number): Promise<void> {
    const { records, training, now } = this.#context;
    const names = ['loss', ...Object.keys(parts)];
    const values = await readScalars([loss, ...Object.values(parts)]);
    records.write({
      kind: 'metrics',
      step: done,
      epoch: done / training.stepsPerEpoch,
      values: {
        ...Object.fromEntries(names.map((name, i) => [`train/${name}`, values[i]!])),
        'train/learning_rate': learningRate,
        'train/images_per_s': (this.#images / Math.max(now() - this.#since, 1e-3)) * 1000,
        'train/data_wait_ms': this.#waitMs / this.#steps,
      },
    });
    this.restart();
  }
}

/** Several scalars in one transfer from the device. */
async function readScalars(scalars: Scalar[]): Promise<number[]> {
  const stacked = tf.stack(scalars);
  const values = await stacked.data();
  stacked.dispose();
  return [...values];
}
