/**
 * The saved weights of a run's best and latest checkpoint, for the final test. Checkpoints themselves are deleted by the agent as soon
 * as the hub has later ones; these are further names of the same files.
 */
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { Progress } from './checkpoint.ts';
import type { TrainingJob } from './job.ts';

export const TESTED = ['best', 'latest'] as const;
export type Tested = (typeof TESTED)[number];

/** A model's file, and which checkpoint's it is. */
export interface KeptModel {
  epoch: number;
  path: string;
}

/** Of file systems that cannot have two names for one file. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV', 'ENOSYS'];

export class KeptModels {
  readonly #folder: string;
  readonly #kept = new Map<Tested, KeptModel>();

  /** @param folder made when it is needed */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get(which: Tested): KeptModel | null {
    return this.#kept.get(which) ?? null;
  }

  /** Takes the file at `path` for `which`, in the place of an earlier one. It may lose its own name then. */
  async keep(which: Tested, epoch: number, path: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const kept = join(this.#folder, `${which}.safetensors`);
    const temporary = `${kept}.tmp`;
    await rm(temporary, { force: true });
    try {
      await link(path, temporary);
    } catch (error) {
      if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await copyFile(path, temporary);
    }
    await rename(temporary, kept);
    this.#kept.set(which, { epoch, path: kept });
  }
}

/** What an earlier attempt has saved: the checkpoint to go on from, and the best one if that is another. */
export async function keepEarlier(
  kept: KeptModels,
  job: TrainingJob,
  { best, epochsValidated, stepsCompleted }: Progress,
  stepsPerEpoch: number,
): Promise<void> {
  if (job.resumeDir === null) return;
  const latest = join(job.resumeDir, CHECKPOINT_FILES.model);
  const epoch = stepsCompleted / stepsPerEpoch;
  await kept.keep('latest', epoch, latest);
  if (best === null) return;
  const isLatest = best.epoch === epochsValidated && best.epoch === epoch;
  const path = isLatest ? latest : best.checkpointId === job.grant.best?.checkpointId ? job.bestPath : null;
  if (path) await kept.keep('best', best.epoch, path);
}
