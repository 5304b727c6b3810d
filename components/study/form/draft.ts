/** What the study form holds while it is edited: numbers as typed, levels as lists. */
import type { NetworkName } from '@mealtable/protocol/networks';
import { InputSize, type OptimizerConfig, type Precision } from '@mealtable/protocol/run-config';
import type { NetworkRef, PlannedNetwork, StudyDesign } from '@mealtable/protocol/study-design';

export interface OptimizerDraft {
  learningRate: string;
  momentum: string;
  weightDecay: string;
  schedule: 'constant' | 'step' | 'cosine';
  /** "60, 120" */
  dropAtEpochs: string;
  factor: string;
  warmupEpochs: string;
}
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
}
export interface VariantDraft {
  id: string;
  teachers: NetworkRef[];
  discriminator: boolean;
  inputSize: string;
}
export interface StudyDraft {
  name: string;
  notes: string;
  dataset: string;
  network: NetworkName;
  start: StudyDesign['student']['initialisation'];
  epochs: string;
  batchSize: string;
  optimizer: OptimizerDraft;
  precision: Precision;
  planned: PlannedDraft[];
  baseline: boolean;
  design: StudyDesign['design'];
  teachers: NetworkRef[][];
  discriminator: boolean[];
  inputSize: number[];
  list: VariantDraft[];
  seeds: number[];
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

export const newOptimizer = (): OptimizerDraft => ({
  learningRate: '0.01',
  momentum: '0.9',
  weightDecay: '0',
  schedule: 'cosine',
  dropAtEpochs: '',
  factor: '0.1',
  warmupEpochs: '0',
});

/** A study as most begin: three seeds, discriminator on, with the student alone beside it. */
export const newDraft = (dataset: string): StudyDraft => ({
  name: '',
  notes: '',
  dataset,
  network: 'resnet18',
  start: { kind: 'random' },
  epochs: '30',
  batchSize: '64',
  optimizer: newOptimizer(),
  precision: 'float32',
  planned: [],
  baseline: true,
  design: 'full-factorial',
  teachers: [],
  discriminator: [true],
  inputSize: [224],
  list: [],
  seeds: [0, 1, 2],
});

const optimizerDraft = (optimizer: OptimizerConfig): OptimizerDraft => {
  const { schedule } = optimizer;
  return {
    ...newOptimizer(),
    learningRate: String(optimizer.learningRate),
    momentum: String(optimizer.momentum),
    weightDecay: String(optimizer.weightDecay),
    schedule: schedule.kind,
    ...(schedule.kind === 'step' && {
      dropAtEpochs: schedule.dropAtEpochs.join(', '),
      factor: String(schedule.factor),
    }),
    ...(schedule.kind === 'cosine' && { warmupEpochs: String(schedule.warmupEpochs) }),
  };
};

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
});

export const draftFromDesign = (name: string, notes: string, design: StudyDesign): StudyDraft => ({
  name,
  notes,
  dataset: design.dataset,
  network: design.student.network,
  start: design.student.initialisation,
  epochs: String(design.epochs),
  batchSize: String(design.batchSize),
  optimizer: optimizerDraft(design.optimizer),
  precision: design.precision,
  planned: design.planned.map(plannedDraft),
  baseline: design.baseline,
  design: design.design,
  teachers: design.factors.teachers,
  discriminator: design.factors.discriminator,
  inputSize: design.factors.inputSize,
  list: design.list.map(({ inputSize, ...levels }) => ({ id: nextDraftId(), ...levels, inputSize: String(inputSize) })),
  seeds: design.seeds,
});
