/** Sets of soft labels that the students of a prefilled study need: what one run each computes before they train. */
import { teacherSize } from './run-config.ts';
import { needsLogits } from './soft-labels.ts';
import { choiceOf, choiceWords, isStandard } from './study-choices.ts';
import type { Levels, NetworkRef, StudyDesign } from './study-design.ts';
import { ensembleKey } from './variant-key.ts';

export interface LabelSet {
  /** Unique in the study and stable: key of the variant that computes it. */
  key: string;
  /** One, or several whose logits are averaged before the softmax. Only then do their weights matter, and stay. */
  teachers: NetworkRef[];
  temperature: number;
  /** Pixels of what the teachers see. */
  inputSize: number;
  logits: boolean;
}

/**
 * The sets of each variant, in the order of its teachers; none unless the study is prefilled. Variants that share a set have equal
 * ones: students of T1, of T2 and of both need one set of each teacher. Logits are kept in all of a study's sets or in none: a
 * student that needs none of them learns the same from a set that has them, and each teacher is asked once.
 * @param variants the levels of all students
 */
export function labelSetsOf(design: StudyDesign, variants: readonly Levels[]): Map<Levels, LabelSet[]> {
  const { softLabels, discriminatorOptions } = design;
  if (softLabels?.mode !== 'prefill') return new Map(variants.map((levels) => [levels, []]));
  const logits =
    softLabels.logits ??
    variants.some((l) => needsLogits({ discriminator: l.discriminator !== false, discriminatorOptions }));
  return new Map(variants.map((levels) => [levels, setsOf(levels, logits)]));
}

/** The sets that one student's labels come from: one for each teacher, or one of all where their logits are averaged. */
export function setsOf(levels: Levels, logits: boolean): LabelSet[] {
  const { teachers } = levels;
  const temperature = choiceOf(levels, 'temperature');
  const isJoint = choiceOf(levels, 'ensemble') === 'mean-logit' && teachers.length > 1;
  const groups = isJoint ? [teachers] : teachers.map(({ weight: _, ...alone }): NetworkRef[] => [alone]);
  return groups.map((group) => {
    const set = { teachers: group, temperature, inputSize: teacherSize(levels), logits };
    return { ...set, key: labelSetKey(set) };
  });
}

function labelSetKey({ teachers, temperature, inputSize, logits }: Omit<LabelSet, 'key'>): string {
  const choices = [temperature === 1 ? [] : `t${temperature}`, teachers.length > 1 ? 'mean-logit' : []].flat();
  return ['labels', ensembleKey(teachers), `s${inputSize}`, ...choices, ...(logits ? ['logits'] : [])].join('|');
}

/** What stands behind the teachers in a set's label: " · 224 px · temperature 4". */
export const describeSetRest = ({ teachers, temperature, inputSize }: LabelSet): string =>
  [
    '',
    ...(teachers.length > 1 ? [choiceWords('ensemble', 'mean-logit')] : []),
    `${inputSize} px`,
    ...(isStandard('temperature', temperature) ? [] : [choiceWords('temperature', temperature)]),
  ].join(' · ');
