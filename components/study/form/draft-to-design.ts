/** From what was typed to a StudyDesign, or to problems that name their fields. */
import { type FieldProblem, StudyDesign, StudyName } from '@mealtable/protocol/study-design';
import type { OptimizerDraft, PlannedDraft, StudyDraft } from './draft.ts';

/** An empty field is missing, not zero. */
const toNumber = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text.trim()));
const toNumbers = (text: string): number[] =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

/** For fields with a default in the schema: emptied, they must not silently become the default. */
const toGivenNumber = (text: string): number => toNumber(text) ?? Number.NaN;

// What follows has the shape of a design, with holes and NaN where something is missing or no number: for zod to say so.

function optimizerInput(draft: OptimizerDraft) {
  const schedule = {
    constant: () => ({ kind: 'constant' as const }),
    step: () => ({
      kind: 'step' as const,
      dropAtEpochs: toNumbers(draft.dropAtEpochs),
      factor: toNumber(draft.factor),
    }),
    cosine: () => ({ kind: 'cosine' as const, warmupEpochs: toGivenNumber(draft.warmupEpochs) }),
  }[draft.schedule]();
  return {
    learningRate: toNumber(draft.learningRate),
    momentum: toGivenNumber(draft.momentum),
    weightDecay: toGivenNumber(draft.weightDecay),
    schedule,
  };
}

const plannedInput = (draft: PlannedDraft) => ({
  key: draft.key.trim(),
  network: draft.network,
  ...(draft.initialisation && { initialisation: draft.initialisation }),
  inputSize: toNumber(draft.inputSize),
  epochs: toNumber(draft.epochs),
  batchSize: toNumber(draft.batchSize),
  seed: toNumber(draft.seed),
  optimizer: optimizerInput(draft.optimizer),
});

/** Levels that the kind of design does not use are left out, so that what is stored is what is meant. */
function designInput(draft: StudyDraft) {
  const isList = draft.design === 'list';
  return {
    version: 1,
    dataset: draft.dataset,
    student: { network: draft.network, initialisation: draft.start },
    epochs: toNumber(draft.epochs),
    batchSize: toNumber(draft.batchSize),
    optimizer: optimizerInput(draft.optimizer),
    precision: draft.precision,
    planned: draft.planned.map(plannedInput),
    baseline: draft.baseline,
    design: draft.design,
    factors: isList
      ? { teachers: [], discriminator: [], inputSize: [] }
      : { teachers: draft.teachers, discriminator: draft.discriminator, inputSize: draft.inputSize },
    list: isList
      ? draft.list.map(({ teachers, discriminator, inputSize }) => ({
          teachers,
          discriminator,
          inputSize: toNumber(inputSize),
        }))
      : [],
    seeds: draft.seeds,
  };
}

/** Fields whose schema has no sentence of its own for a missing or mistyped number; zod's words say nothing to a person. */
const NUMBER_FIELDS: Record<string, string> = {
  momentum: 'the momentum',
  weightDecay: 'the weight decay',
  warmupEpochs: 'the warm-up epochs',
  factor: 'the factor of the schedule',
  dropAtEpochs: 'every epoch at which the learning rate drops',
};

function inWords(path: readonly PropertyKey[], message: string): string {
  if (!message.startsWith('Invalid input') && !message.startsWith('Too ')) return message;
  const field = path.findLast((part) => typeof part === 'string' && part in NUMBER_FIELDS);
  const name = (field !== undefined && NUMBER_FIELDS[String(field)]) || 'this field';
  return message.startsWith('Too ')
    ? `${message.replace(/^Too (\w+): expected number to be/, `The value is too $1 for ${name}: it must be`)}.`
    : `Give a number for ${name}.`;
}

export type ParsedDraft = { ok: true; design: StudyDesign } | { ok: false; problems: FieldProblem[] };

export function parseDesign(draft: StudyDraft): ParsedDraft {
  if (draft.dataset === '') return { ok: false, problems: [{ path: 'dataset', message: 'Choose a dataset.' }] };
  const parsed = StudyDesign.safeParse(designInput(draft));
  if (parsed.success) return { ok: true, design: parsed.data };
  const problems = parsed.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: inWords(issue.path, issue.message),
  }));
  return { ok: false, problems };
}

/** The name is checked apart, so that a design without one can be previewed. */
export function checkName(draft: StudyDraft): FieldProblem[] {
  const parsed = StudyName.safeParse(draft.name);
  return parsed.success ? [] : [{ path: 'name', message: parsed.error.issues[0]?.message ?? 'Give the study a name.' }];
}
