/**
 * Factors of a study besides teachers, discriminator and input size. Each may be absent and then has MEAL V2's own level, which is in
 * no key and no label either: a study that exists can be extended by a factor that it did not have.
 */
import { z } from 'zod';
import { DISCRIMINATOR_GRADIENTS, type EnsembleKind, MEAL_V2, methodFields } from './distillation-method.ts';
import { InputSize } from './run-config.ts';
import { MixingConfig, WeightAverageConfig } from './training-recipe.ts';

/** What one level of each may be. */
export const choiceSchemas = {
  /** Null: the student's. */
  teacherInputSize: InputSize.nullable(),
  ensemble: methodFields.ensemble.unwrap(),
  temperature: methodFields.temperature.unwrap(),
  hardLabelWeight: methodFields.hardLabelWeight.unwrap(),
  /** Null: images as they are. */
  mixing: MixingConfig.nullable(),
  /** Null: the weights themselves are validated and saved. */
  ema: WeightAverageConfig.nullable(),
};
export interface Choices {
  teacherInputSize: number | null;
  ensemble: EnsembleKind;
  temperature: number;
  hardLabelWeight: number;
  mixing: MixingConfig | null;
  ema: WeightAverageConfig | null;
}
export type ChoiceName = keyof Choices;

/** One level of each, in a variant. */
export const choiceLevels = {
  teacherInputSize: choiceSchemas.teacherInputSize.optional(),
  ensemble: choiceSchemas.ensemble.optional(),
  temperature: choiceSchemas.temperature.optional(),
  hardLabelWeight: choiceSchemas.hardLabelWeight.optional(),
  mixing: choiceSchemas.mixing.optional(),
  ema: choiceSchemas.ema.optional(),
};
/** All levels of each, in a design. */
export const choiceFactors = {
  teacherInputSize: z.array(choiceSchemas.teacherInputSize).optional(),
  ensemble: z.array(choiceSchemas.ensemble).optional(),
  temperature: z.array(choiceSchemas.temperature).optional(),
  hardLabelWeight: z.array(choiceSchemas.hardLabelWeight).optional(),
  mixing: z.array(choiceSchemas.mixing).optional(),
  ema: z.array(choiceSchemas.ema).optional(),
};

/** `true` is the cooperative discriminator of MEAL V2's code; the two other ways of training the student with it have their names. */
export const DiscriminatorLevel = z.union([z.boolean(), z.enum(DISCRIMINATOR_GRADIENTS).exclude(['cooperative'])]);
export type DiscriminatorLevel = z.infer<typeof DiscriminatorLevel>;
export const DISCRIMINATOR_LEVELS: readonly DiscriminatorLevel[] = [false, true, 'reversal', 'detached'];

/** What a discriminator's level is called in labels. */
export const discriminatorWord = (level: DiscriminatorLevel): string =>
  ({ false: 'off', true: 'on', reversal: 'reversed', detached: 'detached' })[`${level}`];

interface Choice<T> {
  standard: T;
  /** Part of a variant's key: unique and stable. */
  key: (level: T) => string;
  /** Part of a variant's label. */
  words: (level: T) => string;
}

const ENSEMBLE_WORDS: Record<EnsembleKind, string> = {
  'mean-probability': 'mean of probabilities',
  'mean-logit': 'mean of logits',
  'random-teacher': 'random teacher',
};

function mixingWords(level: MixingConfig | null): string {
  if (level === null) return 'unmixed images';
  const name = level.kind === 'cutmix' ? 'CutMix' : 'Mixup';
  const alpha = level.alpha === 1 ? '' : ` α ${level.alpha}`;
  return `${name}${alpha}${level.probability === 1 ? '' : ` at ${+(level.probability * 100).toFixed(4)} %`}`;
}

export const CHOICES: { [K in ChoiceName]: Choice<Choices[K]> } = {
  teacherInputSize: {
    standard: null,
    key: (size) => (size === null ? 'teachers-at-student-size' : `teachers-s${size}`),
    words: (size) => (size === null ? "teachers at the student's size" : `teachers at ${size} px`),
  },
  ensemble: { standard: MEAL_V2.ensemble, key: (kind) => kind, words: (kind) => ENSEMBLE_WORDS[kind] },
  temperature: { standard: MEAL_V2.temperature, key: (t) => `t${t}`, words: (t) => `temperature ${t}` },
  hardLabelWeight: { standard: MEAL_V2.hardLabelWeight, key: (w) => `h${w}`, words: (w) => `hard labels ${w}` },
  mixing: {
    standard: null,
    key: (level) => (level === null ? 'unmixed' : `${level.kind}-${level.alpha}-${level.probability}`),
    words: mixingWords,
  },
  ema: {
    standard: null,
    key: (level) => (level === null ? 'no-ema' : `ema${level.decay}${level.warmup ? '' : '-cold'}`),
    words: (level) =>
      level === null ? 'weights as trained' : `EMA ${level.decay}${level.warmup ? '' : ' without warm-up'}`,
  },
};
export const CHOICE_NAMES = Object.keys(CHOICES) as ChoiceName[];
/** Those that a student alone can have too. */
export const RECIPE_CHOICES = ['mixing', 'ema'] as const satisfies readonly ChoiceName[];

/** Key of one level; equal levels have equal keys. */
export const choiceKey = <K extends ChoiceName>(name: K, level: Choices[K]): string => CHOICES[name].key(level);
export const choiceWords = <K extends ChoiceName>(name: K, level: Choices[K]): string => CHOICES[name].words(level);
export const isStandard = <K extends ChoiceName>(name: K, level: Choices[K]): boolean =>
  choiceKey(name, level) === choiceKey(name, CHOICES[name].standard);

/** The level that a variant has. */
export const choiceOf = <K extends ChoiceName>(levels: Partial<Choices>, name: K): Choices[K] =>
  levels[name] === undefined ? CHOICES[name].standard : (levels[name] as Choices[K]);

/** The levels that a design gives a factor. */
export const factorOf = <K extends ChoiceName>(factors: { [N in K]?: Choices[N][] }, name: K): readonly Choices[K][] =>
  factors[name] ?? [CHOICES[name].standard];

/** What differs from MEAL V2, each as `each` tells it. */
function differing(
  levels: Partial<Choices>,
  names: readonly ChoiceName[],
  each: <K extends ChoiceName>(name: K, level: Choices[K]) => string,
): string[] {
  return names.flatMap((name) => {
    const level = choiceOf(levels, name);
    return isStandard(name, level) ? [] : [each(name, level)];
  });
}
export const choiceKeys = (levels: Partial<Choices>, names: readonly ChoiceName[] = CHOICE_NAMES): string[] =>
  differing(levels, names, choiceKey);
/** "temperature 4", "CutMix": for labels and tables. */
export const describeChoices = (levels: Partial<Choices>, names: readonly ChoiceName[] = CHOICE_NAMES): string[] =>
  differing(levels, names, choiceWords);

/** Without the levels that are MEAL V2's own, so that saying them or not is the same. */
export function withoutStandard(
  levels: Partial<Choices>,
  names: readonly ChoiceName[] = CHOICE_NAMES,
): Partial<Choices> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const level = choiceOf(levels, name);
      return isStandard(name, level) ? [] : [[name, level]];
    }),
  );
}
