/** Why a run cannot go on: what ends up in failure.json. */
import type { FailureCode } from '@mealtable/protocol/statuses';
import { DatasetInvalidError } from '../data/unreadable-images.ts';
import type { TrainerFailure } from './job.ts';

const MAX_MESSAGE = 2000;

/** A failure that has a code and a sentence for the user. */
export class RunFailure extends Error {
  readonly failureCode: FailureCode;
  constructor(failureCode: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failureCode = failureCode;
  }
}

/** The code and sentence of anything thrown. A full disk shows in many places, always by its system code. */
export function describeFailure(error: unknown): TrainerFailure {
  const full = findDiskFull(error);
  if (full) return failure('disk_full', `No space is left on the disk of the attempt's folder (${full.message}).`);
  if (error instanceof RunFailure) return failure(error.failureCode, error.message);
  if (error instanceof DatasetInvalidError) return failure('dataset_invalid', error.message);
  const text = error instanceof Error ? error.message || error.name : String(error);
  return failure('trainer_error', `The trainer stopped on an error: ${text}`);
}

/** True when the failure is a bug or a surprise, whose stack helps. */
export const isUnexpected = (error: unknown): boolean => describeFailure(error).failureCode === 'trainer_error';

function failure(failureCode: FailureCode, text: string): TrainerFailure {
  const message = text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
  return { failureCode, message };
}

function findDiskFull(error: unknown): Error | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (['ENOSPC', 'EDQUOT'].includes((at as NodeJS.ErrnoException).code ?? '')) return at;
  }
  return null;
}
