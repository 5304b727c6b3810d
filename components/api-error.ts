/** Reads what the hub says about a refused request: code, sentence, and problems with their field paths. */
import type { ErrorCode } from '@mealtable/protocol/errors';
import type { FieldProblem } from '@mealtable/protocol/study-design';

interface ErrorData {
  httpStatus?: number;
  appError?: { code: ErrorCode; problems: FieldProblem[] } | null;
}

const BY_STATUS: Record<number, ErrorCode> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'too_large',
  422: 'invalid',
  503: 'unavailable',
};

function readData(error: unknown): ErrorData | null {
  if (typeof error !== 'object' || error === null || !('data' in error)) return null;
  return (error.data as ErrorData | null | undefined) ?? null;
}

/** @returns null when the hub did not answer at all, or answered with a fault of its own. */
export function readErrorCode(error: unknown): ErrorCode | null {
  const data = readData(error);
  return data?.appError?.code ?? BY_STATUS[data?.httpStatus ?? 0] ?? null;
}

export const readProblems = (error: unknown): FieldProblem[] => readData(error)?.appError?.problems ?? [];

/** What the hub says of one field, or null. */
export const problemAt = (error: unknown, path: string): string | null =>
  readProblems(error).find((problem) => problem.path === path)?.message ?? null;

/** One sentence for the user. */
export function describeError(error: unknown): string {
  if (readErrorCode(error) !== null && error instanceof Error) return error.message;
  if (readData(error)?.httpStatus) return 'The hub ran into a fault of its own. Its log says more.';
  return 'The hub does not answer. Check that it runs and that this computer can reach it.';
}
