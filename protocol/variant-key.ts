/** Keys of variants: unique in a study, built from the levels alone, so that a design can grow around what was run. */
import type { Levels, NetworkRef } from './study-design.ts';

/** Names of weights hold a dot; of the others planned keys hold no underscore and run ids do: no two kinds ever collide. */
export function refKey(ref: NetworkRef): string {
  if (ref.kind === 'pretrained') return ref.weights;
  return ref.kind === 'run' ? ref.runId : ref.key;
}

/** The order of an ensemble does not matter to its mean, so it does not make another variant. */
export const ensembleKey = (teachers: readonly NetworkRef[]) => teachers.map(refKey).sort().join('+');
export const studentVariantKey = (l: Levels) =>
  `${ensembleKey(l.teachers)}|d${l.discriminator ? 1 : 0}|s${l.inputSize}`;
export const baselineVariantKey = (inputSize: number) => `baseline|s${inputSize}`;
export const plannedVariantKey = (plannedKey: string) => `planned:${plannedKey}`;
