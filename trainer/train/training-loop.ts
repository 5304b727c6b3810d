/** The training loop: steps, metrics, a validation and a checkpoint after every epoch, and stops at step boundaries. */

import type { TrainingConfig } from '@mealtable/protocol/run-config';
import type { Batch } from '../data/loader.ts';
import type { Progress } from './checkpoint.ts';
import { diverged } from './divergence.ts';
import type { RecordWriter } from './record-writer.ts';
import { StepMeter } from './step-meter.ts';
import type { StepInputs, StepRunner } from './step-runner.ts';
import type { StoredLabels } from './stored-labels.ts';
import type { Validation } from './validate.ts';

/** About so many points are recorded of a training metric, however long the run. */
const TRAIN_POINTS = 1000;

export interface LoopContext {
  config: TrainingConfig;
  steps: Pick<StepRunner, 'prepare' | 'run' | 'stagesInputs'>;
  training: {
    readonly stepsPerEpoch: number;
    start(step: number): void;
    peek(step: number): Promise<Batch>;
    take(step: number): Promise<Batch>;
  };
  /** For tasks that are given their soft labels. */
  softLabels?: Pick<StoredLabels, 'labelsOf' | 'takeMetrics'> | null;
  /** Milliseconds of the teachers' part of the step that was run last, or null where steps ask none. Not asked unless given. */
  timeTeachers?: ((inputs: StepInputs) => number | null) | null;
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
  const totalSteps = context.training.stepsPerEpoch * context.config.epochs;
  const meter = new StepMeter(context, Math.max(1, Math.floor(totalSteps / TRAIN_POINTS)), totalSteps);
  try {
    return await goOn(context, progress, meter);
  } finally {
    meter.dispose();
  }
}

async function goOn(context: LoopContext, progress: Progress, meter: StepMeter): Promise<'succeeded' | 'interrupted'> {
  const { config, training, shouldStop } = context;
  const { stepsPerEpoch } = training;
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
    await meter.runStep(at.stepsCompleted);
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
