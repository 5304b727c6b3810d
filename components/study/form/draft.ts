/** What the study form holds while it is edited: numbers as typed, levels as lists. */
import { type DistillationMethod, methodOf } from '@mealtable/protocol/distillation-method';
import type { NetworkName } from '@mealtable/protocol/networks';
import { InputSize, type Precision } from '@mealtable/protocol/run-config';
import {
  CHOICE_NAMES,
  type ChoiceName,
  type Choices,
  choiceKey,
  choiceOf,
  type DiscriminatorLevel,
  factorOf,
} from '@mealtable/protocol/study-choices';
import type { NetworkRef, PlannedNetwork, StudyDesign } from '@mealtable/protocol/study-design';
import { newOptimizer, type OptimizerDraft, optimizerDraft } from './optimizer-draft.ts';
import { newSoftLabels, type SoftLabelsDraft, softLabelsDraft } from './soft-labels-draft.ts';

export interface PlannedDraft {
  /** For lists on the page only. */
  id: string;
  key: string;
  network: NetworkName;
  /** Published weights to start from; absent = random. */
  initialisation?: PlannedNetwork['initialisation'];
  inputSize: string;
  epochs: string;
  batchSize: string;
  seed: string;
  optimizer: OptimizerDraft;
  accumulation: string;
  labelSmoothing: string;
  mixing: Choices['mixing'];
  ema: Choices['ema'];
}
export interface VariantDraft {
  id: string;
  teachers: NetworkRef[];
  discriminator: DiscriminatorLevel;
  inputSize: string;
  /** Of the other factors' levels; what it says nothing of has the first. */
  choices?: Partial<Choices>;
}
/** Levels of the factors besides teachers, discriminator and input size. */
export type ChoicesDraft = { [K in ChoiceName]: readonly Choices[K][] };
/** The discriminator itself, the same in every variant that has one. */
export type DiscriminatorDraft = Pick<DistillationMethod['discriminator'], 'finalRelu' | 'inputs'> & {
  learningRateFactor: string;
};
export interface StudyDraft {
  name: string;
  /** What the study is to answer. */
  question: string;
  notes: string;
  dataset: string;
  network: NetworkName;
  start: StudyDesign['student']['initialisation'];
  epochs: string;
  batchSize: string;
  optimizer: OptimizerDraft;
  precision: Precision;
  accumulation: string;
  labelSmoothing: string;
  discriminatorOptions: DiscriminatorDraft;
  planned: PlannedDraft[];
  baseline: boolean;
  design: StudyDesign['design'];
  teachers: NetworkRef[][];
  discriminator: DiscriminatorLevel[];
  inputSize: number[];
  choices: ChoicesDraft;
  list: VariantDraft[];
  seeds: number[];
  /** Whose published result stands beside the study's own. */
  reproduces?: StudyDesign['reproduces'];
  softLabels: SoftLabelsDraft;
  /** That the hosts of all runs must have, separated by commas or spaces. */
  hostLabels: string;
}

/** Pixels that costs are shown for before there are several sizes to show them for. */
const USUAL_SIZE = 224;

/** The first input size of the design, to show costs at. */
export function chosenSize({ design, list, inputSize }: Pick<StudyDraft, 'design' | 'list' | 'inputSize'>): number {
  return toSize(design === 'list' ? list[0]?.inputSize : inputSize[0]);
}

/** What was typed as an input size, where that is one. */
export function toSize(typed: string | number | undefined): number {
  const parsed = InputSize.safeParse(Number(typed));
  return parsed.success ? parsed.data : USUAL_SIZE;
}

let lastId = 0;
export const nextDraftId = (): string => `draft-${++lastId}`;

const discriminatorDraft = ({
  discriminatorOptions,
}: Pick<StudyDesign, 'discriminatorOptions'>): DiscriminatorDraft => {
  const { learningRateFactor, finalRelu, inputs } = methodOf({ discriminatorOptions }).discriminator;
  return { learningRateFactor: String(learningRateFactor), finalRelu, inputs };
};

/** A study as most begin: three seeds, discriminator on, with the student alone beside it. */
export const newDraft = (dataset: string): StudyDraft => ({
  name: '',
  question: '',
  notes: '',
  dataset,
  network: 'resnet18',
  start: { kind: 'random' },
  epochs: '30',
  batchSize: '64',
  optimizer: newOptimizer(),
  precision: 'float32',
  accumulation: '1',
  labelSmoothing: '0',
  discriminatorOptions: discriminatorDraft({}),
  planned: [],
  baseline: true,
  design: 'full-factorial',
  teachers: [],
  discriminator: [true],
  inputSize: [224],
  choices: choicesOfFactors({}),
  list: [],
  seeds: [0, 1, 2],
  softLabels: newSoftLabels(),
  hostLabels: '',
});

function choicesOfFactors(factors: Parameters<typeof factorOf>[0]): ChoicesDraft {
  return Object.fromEntries(CHOICE_NAMES.map((name) => [name, factorOf(factors, name)])) as unknown as ChoicesDraft;
}

/** Of a list, the levels that its variants have. */
function choicesOfList(list: StudyDesign['list']): ChoicesDraft {
  const levelsOf = <K extends ChoiceName>(name: K) => [
    ...new Map(list.map((l) => choiceOf(l, name)).map((level) => [choiceKey(name, level), level])).values(),
  ];
  return Object.fromEntries(CHOICE_NAMES.map((name) => [name, levelsOf(name)])) as unknown as ChoicesDraft;
}

/** Levels of the factors besides teachers, discriminator and input size. */
export const choicesOfDesign = ({ design, list, factors }: StudyDesign): ChoicesDraft =>
  design === 'list' && list.length > 0 ? choicesOfList(list) : choicesOfFactors(factors);

const plannedDraft = (planned: PlannedNetwork): PlannedDraft => ({
  id: nextDraftId(),
  key: planned.key,
  network: planned.network,
  ...(planned.initialisation && { initialisation: planned.initialisation }),
  inputSize: String(planned.inputSize),
  epochs: String(planned.epochs),
  batchSize: String(planned.batchSize),
  seed: String(planned.seed),
  optimizer: optimizerDraft(planned.optimizer),
  accumulation: String(planned.accumulation ?? 1),
  labelSmoothing: String(planned.labelSmoothing ?? 0),
  mixing: planned.mixing ?? null,
  ema: planned.ema ?? null,
});

export const draftFromDesign = (name: string, notes: string, design: StudyDesign): StudyDraft => ({
  name,
  question: '',
  notes,
  dataset: design.dataset,
  network: design.student.network,
  start: design.student.initialisation,
  epochs: String(design.epochs),
  batchSize: String(design.batchSize),
  optimizer: optimizerDraft(design.optimizer),
  precision: design.precision,
  accumulation: String(design.accumulation ?? 1),
  labelSmoothing: String(design.labelSmoothing ?? 0),
  discriminatorOptions: discriminatorDraft(design),
  planned: design.planned.map(plannedDraft),
  baseline: design.baseline,
  design: design.design,
  teachers: design.factors.teachers,
  discriminator: design.factors.discriminator,
  inputSize: design.factors.inputSize,
  choices: choicesOfDesign(design),
  list: design.list.map(({ teachers, discriminator, inputSize, ...choices }) => ({
    id: nextDraftId(),
    teachers,
    discriminator,
    inputSize: String(inputSize),
    choices,
  })),
  seeds: design.seeds,
  ...(design.reproduces && { reproduces: design.reproduces }),
  softLabels: softLabelsDraft(design),
  hostLabels: '',
});

/** The level that a listed variant has: its own where the factor still has it, else the factor's first. */
export function rowChoice<K extends ChoiceName>(choices: ChoicesDraft, row: Partial<Choices>, name: K): Choices[K] {
  const own = choiceKey(name, choiceOf(row, name));
  const levels: readonly Choices[K][] = choices[name];
  return levels.find((level) => choiceKey(name, level) === own) ?? levels[0] ?? choiceOf({}, name);
}
