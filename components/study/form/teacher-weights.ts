/** Weights of an ensemble's teachers while they are typed. */
import { TeacherWeight } from '@mealtable/protocol/distillation-method';
import type { NetworkRef } from '@mealtable/protocol/study-design';
import { refId } from './teacher-choices.ts';
import { toNumber } from './typed-numbers.ts';

/** By `refId`; who is not in it counts 1. */
export type TypedWeights = Readonly<Record<string, string>>;

export const typedWeights = (set: readonly NetworkRef[]): TypedWeights =>
  Object.fromEntries(set.map((ref) => [refId(ref), String(ref.weight ?? 1)]));

/** @returns the ensemble with its weights, without any where all are equal; or why not */
export function withWeights(
  set: readonly NetworkRef[],
  typed: TypedWeights,
): { ok: true; set: NetworkRef[] } | { ok: false; message: string } {
  const parsed = set.map((ref) => TeacherWeight.safeParse(toNumber(typed[refId(ref)] ?? '1')));
  const wrong = parsed.find((result) => !result.success);
  if (set.length > 1 && wrong)
    return { ok: false, message: wrong.error?.issues[0]?.message ?? "A teacher's weight is a number." };
  const weights = parsed.map((result) => result.data ?? 1);
  const isEqual = set.length < 2 || weights.every((weight) => weight === weights[0]);
  return {
    ok: true,
    set: set.map(({ weight: _, ...ref }, i) => (isEqual || weights[i] === 1 ? ref : { ...ref, weight: weights[i] })),
  };
}
