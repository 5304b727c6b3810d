/** From what was typed to a StudyDesign, or to problems that name their fields. */
import { MEAL_V2 } from '@mealtable/protocol/distillation-method';
import { HostLabels } from '@mealtable/protocol/host-labels';
import { CHOICE_NAMES, choiceKeys, withoutStandard } from '@mealtable/protocol/study-choices';
import { FIXED_FIELDS, type FieldProblem, StudyDesign, StudyName } from '@mealtable/protocol/study-design';
import { Question } from '@mealtable/protocol/study-page';
import { type DiscriminatorDraft, type PlannedDraft, rowChoice, type StudyDraft, type VariantDraft } from './draft.ts';
import { optimizerInput } from './optimizer-draft.ts';
import { type LogitNeeds, softLabelsInput } from './soft-labels-draft.ts';
import { toGivenNumber, toNumber } from './typed-numbers.ts';

// What follows has the shape of a design, with holes and NaN where something is missing or no number: for zod to say so.

/** A number where it is not the one that leaving it out means. */
const unless = <K extends string>(field: K, text: string, standard: number) => {
  const value = toGivenNumber(text);
  return value === standard ? {} : { [field]: value };
};

const plannedInput = (draft: PlannedDraft) => ({
  key: draft.key.trim(),
  network: draft.network,
  ...(draft.initialisation && { initialisation: draft.initialisation }),
  inputSize: toNumber(draft.inputSize),
  epochs: toNumber(draft.epochs),
  batchSize: toNumber(draft.batchSize),
  seed: toNumber(draft.seed),
  optimizer: optimizerInput(draft.optimizer),
  ...unless('accumulation', draft.accumulation, 1),
  ...unless('labelSmoothing', draft.labelSmoothing, MEAL_V2.labelSmoothing),
  ...(draft.mixing && { mixing: draft.mixing }),
  ...(draft.ema && { ema: draft.ema }),
});

/** @returns the design's field where anything differs from MEAL V2, else nothing */
export function discriminatorInput({ learningRateFactor, finalRelu, inputs }: DiscriminatorDraft) {
  const standard = MEAL_V2.discriminator;
  const options = {
    ...unless('learningRateFactor', learningRateFactor, standard.learningRateFactor),
    ...(finalRelu !== standard.finalRelu && { finalRelu }),
    ...(inputs !== standard.inputs && { inputs }),
  };
  return Object.keys(options).length > 0 ? { discriminatorOptions: options } : {};
}

/** A factor with MEAL V2's own level alone is left out. */
function choiceFactorsInput({ choices }: StudyDraft) {
  const factors = CHOICE_NAMES.map((name) => [name, choices[name]] as const);
  const isPlain = ([name, levels]: (typeof factors)[number]) =>
    levels.length === 1 && choiceKeys({ [name]: levels[0] }).length === 0;
  return Object.fromEntries(factors.filter((factor) => !isPlain(factor)));
}

const rowInput = (row: VariantDraft, { choices }: StudyDraft) => ({
  teachers: row.teachers,
  discriminator: row.discriminator,
  inputSize: toNumber(row.inputSize),
  ...withoutStandard(
    Object.fromEntries(CHOICE_NAMES.map((name) => [name, rowChoice(choices, row.choices ?? {}, name)])),
  ),
});

export const needsOfDraft = ({ design, list, discriminator, discriminatorOptions }: StudyDraft): LogitNeeds => ({
  levels: design === 'list' ? list.map((row) => row.discriminator) : discriminator,
  inputs: discriminatorOptions.inputs,
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
    ...unless('accumulation', draft.accumulation, 1),
    ...unless('labelSmoothing', draft.labelSmoothing, MEAL_V2.labelSmoothing),
    ...discriminatorInput(draft.discriminatorOptions),
    planned: draft.planned.map(plannedInput),
    baseline: draft.baseline,
    design: draft.design,
    factors: isList
      ? { teachers: [], discriminator: [], inputSize: [] }
      : {
          teachers: draft.teachers,
          discriminator: draft.discriminator,
          inputSize: draft.inputSize,
          ...choiceFactorsInput(draft),
        },
    list: isList ? draft.list.map((row) => rowInput(row, draft)) : [],
    seeds: draft.seeds,
    ...(draft.reproduces && { reproduces: draft.reproduces }),
    ...softLabelsInput(draft.softLabels, needsOfDraft(draft)),
  };
}

/** Fields whose schema has no sentence of its own for a missing or mistyped number; zod's words say nothing to a person. */
const NUMBER_FIELDS: Record<string, string> = {
  momentum: 'the momentum',
  weightDecay: 'the weight decay',
  epsilon: 'epsilon',
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

/** What is typed beside the design is checked apart, so that a design without a name can be previewed. */
export function checkBasics(draft: StudyDraft): FieldProblem[] {
  const name = StudyName.safeParse(draft.name);
  const question = Question.safeParse(draft.question);
  const labels = HostLabels.safeParse(splitLabels(draft.hostLabels));
  const at = (path: string, { success, error }: { success: boolean; error?: { issues: { message: string }[] } }) =>
    success ? [] : [{ path, message: error?.issues[0]?.message ?? 'This cannot be read.' }];
  return [...at('name', name), ...at('question', question), ...at('requiredLabels', labels)];
}

export const splitLabels = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/**
 * What an extension sends: of what cannot change, exactly what the study has. A design may say a default that the form leaves out.
 */
export function keepFixed(design: StudyDesign, existing: StudyDesign): StudyDesign {
  const { planned, ...rest } = design;
  for (const field of FIXED_FIELDS) delete (rest as Partial<typeof rest>)[field];
  const fixed = Object.fromEntries(
    FIXED_FIELDS.flatMap((field) => (field in existing ? [[field, existing[field]]] : [])),
  );
  const old = new Map(existing.planned.map((one) => [one.key, one]));
  return { ...rest, ...fixed, planned: planned.map((one) => old.get(one.key) ?? one) } as StudyDesign;
}
