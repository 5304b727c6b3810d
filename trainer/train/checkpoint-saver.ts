/** Checkpoints of a training attempt: written, kept for the final test, and recorded. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { Network } from '../models/network.ts';
import { type Progress, pruneCheckpoints, writeCheckpoint } from './checkpoint.ts';
import { finiteOnly, requireFinite } from './divergence.ts';
import { ATTEMPT_FILES } from './job.ts';
import { type KeptModels, TESTED } from './kept-models.ts';
import type { Task } from './task.ts';
import type { LoopContext } from './training-loop.ts';

export interface CheckpointSaverOptions {
  attemptDir: string;
  task: Task;
  /** Whose weights are saved: the task's network or its averages. */
  measured: Network;
  /** For the final test. */
  kept: KeptModels;
  stepsPerEpoch: number;
  records: LoopContext['records'];
  /** Brings the task's variables to what the steps have made of them. */
  pull: () => void;
}

/** Makes the folder. The function rejects with RunFailure `diverged`, and saves nothing, when a number is none. */
export async function createCheckpointSaver(options: CheckpointSaverOptions): Promise<LoopContext['saveCheckpoint']> {
  const { attemptDir, task, measured, kept, stepsPerEpoch, records, pull } = options;
  const folder = join(attemptDir, ATTEMPT_FILES.checkpoints);
  await mkdir(folder, { recursive: true });
  return async (checkpointId: string, reached: Progress, top1: number | null, isBest: boolean) => {
    pull();
    const { stepsCompleted } = reached;
    const model = finiteOnly(measured.toSource(), stepsCompleted);
    const state = await task.toState();
    requireFinite(state, stepsCompleted);
    const files = await writeCheckpoint(folder, checkpointId, { model, state, progress: reached });
    const epoch = stepsCompleted / stepsPerEpoch;
    const modelPath = join(folder, checkpointId, CHECKPOINT_FILES.model);
    for (const which of TESTED) if (which === 'latest' || isBest) await kept.keep(which, epoch, modelPath);
    records.write({ kind: 'checkpoint', checkpointId, stepsCompleted, epoch, top1, isBest, files });
    await pruneCheckpoints(folder, new Set([checkpointId, reached.best?.checkpointId ?? '']));
  };
}
