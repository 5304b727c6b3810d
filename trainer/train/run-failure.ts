/** Why a run cannot go on: what ends up in failure.json. */
import type { FailureCode } from '@mealtable/protocol/statuses';
import { DatasetInvalidError } from '../data/unreadable-images.ts';
import type { TrainerFailure } from './job.ts';

const MAX_MESSAGE = 2000;
const OUT_OF_MEMORY =
  /\bOOM when allocating|RESOURCE_EXHAUSTED|ResourceExhausted|std::bad_alloc|out of memory|CUDA_ERROR_OUT_OF_MEMORY|Array buffer allocation failed/i;

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
  const starved = findOutOfMemory(error);
  if (starved) return failure('out_of_memory', `The memory did not suffice: ${starved.message}`);
  const text = error instanceof Error ? error.message || error.name : String(error);
  return failure('trainer_error', `The trainer stopped on an error: ${text}`);
}

/** True when the failure is a bug or a surprise, whose stack helps. */
export const isUnexpected = (error: unknown): boolean => describeFailure(error).failureCode === 'trainer_error';

function failure(failureCode: FailureCode, text: string): TrainerFailure {
  const message = text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
  return { failureCode, message };
}

/** The error in which TensorFlow or JavaScript says that memory could not be had, or null when it is about something else. */
export function findOutOfMemory(error: unknown): Error | null {
  for (let at = error; at instanceof Error; at = at.cause) if (OUT_OF_MEMORY.test(at.message)) return at;
  return null;
}

function findDiskFull(error: unknown): Error | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (['ENOSPC', 'EDQUOT'].includes((at as NodeJS.ErrnoException).code ?? '')) return at;
  }
  return null;
}
