/** The factors of a study by name, and the level of each that a variant has: what effects are reckoned from and tables name. */
import { describeRest } from './expand-design.ts';
import {
  CHOICE_NAMES,
  type ChoiceName,
  type Choices,
  choiceKey,
  choiceOf,
  choiceWords,
  discriminatorWord,
} from './study-choices.ts';
import type { Levels } from './study-design.ts';
import { ensembleKey } from './variant-key.ts';

export type FactorName = 'teachers' | 'discriminator' | 'inputSize' | ChoiceName;
/** In the order of the variants. */
export const FACTOR_NAMES: readonly FactorName[] = ['teachers', 'discriminator', 'inputSize', ...CHOICE_NAMES];

/** Headings of forms and tables. */
export const FACTOR_WORDS: Record<FactorName, string> = {
  teachers: 'Teachers',
  discriminator: 'Discriminator',
  inputSize: 'Input size',
  teacherInputSize: 'Teachers’ input size',
  ensemble: 'Ensemble',
  temperature: 'Temperature',
  hardLabelWeight: 'Weight of hard labels',
  mixing: 'Mixed images',
  ema: 'Averaged weights',
};

/** The teachers' part of a student variant's label, which names runs as people do: what stands before its other levels. */
export function teachersInLabel(label: string, levels: Levels): string {
  const rest = describeRest(levels);
  return label.endsWith(rest) ? label.slice(0, -rest.length) : label;
}

/** Equal levels have equal keys, also where they were written differently. */
export function levelKey(levels: Levels, name: FactorName): string {
  if (name === 'teachers') return ensembleKey(levels.teachers);
  if (name === 'discriminator') return String(levels.discriminator);
  if (name === 'inputSize') return String(levels.inputSize);
  return keyOfChoice(levels, name);
}

/** @param variant a student variant with its label */
export function levelWords({ label, levels }: { label: string; levels: Levels }, name: FactorName): string {
  if (name === 'teachers') return teachersInLabel(label, levels);
  if (name === 'discriminator') return discriminatorWord(levels.discriminator);
  if (name === 'inputSize') return `${levels.inputSize} px`;
  return wordsOfChoice(levels, name);
}

const keyOfChoice = <K extends ChoiceName>(levels: Partial<Choices>, name: K) =>
  choiceKey(name, choiceOf(levels, name));
const wordsOfChoice = <K extends ChoiceName>(levels: Partial<Choices>, name: K) =>
  choiceWords(name, choiceOf(levels, name));
