/** Checkpoints on disk: a folder with the weights, what resuming needs besides them, and the progress. Whole or absent. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointId, RunId } from '@mealtable/protocol/ids';
import { NetworkName } from '@mealtable/protocol/networks';
import { CHECKPOINT_FILES, type CheckpointFile } from '@mealtable/protocol/records';
import { z } from 'zod';
import { openSafetensors, readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import type { StateDict } from '../weights/state-dict.ts';
import type { TensorSource, WeightsFile } from '../weights/tensor-source.ts';
import { UPLOADED_MARK } from './job.ts';

/** Where a run stands. Order and views of the images follow from the seed and `stepsCompleted`, so no generator is stored. */
export const Progress = z.strictObject({
  version: z.literal(1),
  runId: RunId,
  network: NetworkName,
  classCount: z.int().min(2),
  /** Images in the training split: with another number the steps would mean other epochs. */
  trainImages: z.int().min(2),
  stepsCompleted: z.int().min(0),
  /** Epochs whose validation has been recorded; one less than the epochs done when a stop came in between. */
  epochsValidated: z.int().min(0),
  /** Highest val/top1 so far, in percent, and the epochs done then. */
  best: z
    .strictObject({ top1: z.number().min(0).max(100), epoch: z.int().min(1), checkpointId: CheckpointId })
    .nullable(),
  /** What computed it, e.g. 'TensorFlow 2.21.0 through tfjs-node-gpu 4.22.0'. */
  backend: z.string(),
});
export type Progress = z.infer<typeof Progress>;

export interface CheckpointContent {
  /** timm's keys and layout; of a source, the tensors are asked for one by one. */
  model: StateDict | TensorSource;
  state: StateDict;
  progress: Progress;
}

/**
 * Writes `<checkpointsDir>/<checkpointId>/`: into a hidden folder first, everything forced to disk, then renamed. When it
 * throws (disk full), what was written so far is removed again.
 */
export async function writeCheckpoint(
  checkpointsDir: string,
  checkpointId: string,
  { model, state, progress }: CheckpointContent,
): Promise<CheckpointFile[]> {
  const temporary = join(checkpointsDir, `.${checkpointId}.tmp`);
  try {
    await mkdir(temporary, { recursive: true });
    const metadata = { format: 'pt', network: progress.network, steps_completed: String(progress.stepsCompleted) };
    const modelFile = await writeSafetensors(join(temporary, CHECKPOINT_FILES.model), model, metadata);
    const stateFile = await writeSafetensors(join(temporary, CHECKPOINT_FILES.state), state);
    const json = Buffer.from(`${JSON.stringify(progress, null, 2)}\n`);
    await writeDurably(join(temporary, CHECKPOINT_FILES.progress), json);
    await rename(temporary, join(checkpointsDir, checkpointId));
    await syncFolder(checkpointsDir);
    return [
      { name: CHECKPOINT_FILES.model, ...modelFile },
      { name: CHECKPOINT_FILES.state, ...stateFile },
      {
        name: CHECKPOINT_FILES.progress,
        sha256: createHash('sha256').update(json).digest('hex'),
        sizeBytes: json.length,
      },
    ];
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** A checkpoint to go on from: the model is read tensor by tensor. Whoever opened it closes `model`. */
export interface OpenCheckpoint {
  model: WeightsFile;
  state: StateDict;
  progress: Progress;
}

/** Throws one Error with the file's name when a file is missing, damaged or not what it should be. */
export async function openCheckpoint(folder: string): Promise<OpenCheckpoint> {
  const path = join(folder, CHECKPOINT_FILES.progress);
  const parsed = Progress.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is not a checkpoint's progress: ${z.prettifyError(parsed.error)}`);
  const { tensors: state } = await readSafetensors(join(folder, CHECKPOINT_FILES.state));
  const model = await openSafetensors(join(folder, CHECKPOINT_FILES.model));
  return { model, state, progress: parsed.data };
}

/** Deletes uploaded checkpoints except those in `keep`. Others stay: the agent still has to send them. */
export async function pruneCheckpoints(checkpointsDir: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(checkpointsDir)) {
    const folder = join(checkpointsDir, name);
    if (keep.has(name) || !existsSync(join(folder, UPLOADED_MARK))) continue;
    // The agent deletes uploaded checkpoints too; whoever comes second finds nothing.
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
