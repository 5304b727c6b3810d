/**
 * What a study computes, counted before it is launched: multiply-accumulates (MACs) of convolutions and matrix products, as
 * network-cost.ts counts them. Losses, optimisers, discriminators and the reading of images are not in it.
 */
import type { PlannedVariant } from './expand-design.ts';
import { type LabelSet, setsOf } from './label-sets.ts';
import { networkCost } from './network-cost.ts';
import type { NetworkName } from './networks.ts';
import { KNOWN_WEIGHTS } from './published-weights.ts';
import { teacherSize } from './run-config.ts';
import { explainUncacheable, needsLogits } from './soft-labels.ts';
import type { Levels, NetworkRef, StudyDesign } from './study-design.ts';
import { refKey } from './variant-key.ts';

/**
 * A training step counts as three forwards: the backward pass multiplies as much for the gradients by the inputs, and as much again
 * for those by the weights.
 */
export const TRAINING_FORWARDS = 3;

export interface CostContext {
  classCount: number;
  trainCount: number;
  valCount: number;
  /** Existing runs that the design names, by id. */
  runs: ReadonlyMap<string, { network: NetworkName }>;
}

/** What one network does. */
export interface Work {
  kind: 'training' | 'validation' | 'teaching';
  network: NetworkName;
  /** Pixels. */
  inputSize: number;
  macs: number;
}

/** One run of a variant. */
export interface RunCost {
  variantKey: string;
  role: PlannedVariant['role'];
  /** How many such runs the study has. */
  runs: number;
  /** Training and validation of the network itself. */
  own: Work[];
  /** What its teachers compute when they are asked in every step. */
  teaching: Work[];
  /** Keys of the sets that its labels can come from; null where labels cannot be kept. */
  sets: string[] | null;
}

/** Labels that runs can share, whoever computes them. */
export interface LabelSetCost extends LabelSet {
  /** Views that are used of each image. */
  views: number;
  /** Labels computed when there are none yet. */
  labels: number;
  /** Of these labels. */
  teaching: Work[];
}

export interface StudyCost {
  runs: RunCost[];
  sets: LabelSetCost[];
  /** MACs of training by the runs' roles, forward and backward. */
  training: { teacher: number; baseline: number; student: number };
  /** MACs of all validations, one after every epoch. */
  validation: number;
  /** MACs of the students' teachers: asked by each run, and each label computed once. */
  teachers: { online: number; shared: number };
}

interface Student {
  cost: RunCost;
  levels: Levels;
  /** Training images in all epochs of one run. */
  seen: number;
}

/**
 * @param variants of the design's expansion
 * @param newRuns keys of the runs that are counted; null counts all
 */
export function costOfStudy(
  design: StudyDesign,
  variants: readonly PlannedVariant[],
  context: CostContext,
  newRuns: ReadonlySet<string> | null = null,
): StudyCost {
  const isCounted = (run: { key: string }) => newRuns?.has(run.key) ?? true;
  const students: Student[] = [];
  const runs = variants.flatMap((variant): RunCost[] => {
    const count = variant.runs.filter(isCounted).length;
    if (count === 0 || !hasNetwork(variant)) return [];
    const { network, epochs, batchSize } = variant.planned ?? { ...design, network: design.student.network };
    const images = imagesPerEpoch(context.trainCount, batchSize, variant.planned ? 1 : design.accumulation);
    const forward = networkCost(network, variant.inputSize, context.classCount).macs * epochs;
    const part = { network, inputSize: variant.inputSize };
    const cost: RunCost = {
      variantKey: variant.key,
      role: variant.role,
      runs: count,
      own: [
        { kind: 'training', ...part, macs: TRAINING_FORWARDS * forward * images },
        { kind: 'validation', ...part, macs: forward * context.valCount },
      ],
      teaching: [],
      sets: null,
    };
    const { levels } = variant;
    if (levels !== null) {
      const seen = images * epochs;
      cost.teaching = levels.teachers.map((ref) => teach(ref, teacherSize(levels), seen, design, context));
      students.push({ cost, levels, seen });
    }
    return [cost];
  });
  // Of an extended study that is prefilled, what its runs have labelled before is there.
  const isLabelled = (key: string) => variants.find((v) => v.key === key)?.runs.some(isCounted) === false;
  const sets = shareLabels(design, students, context).filter(({ key }) => !isLabelled(key));
  const unshared = runs.filter((run) => run.sets === null).flatMap((run) => times(run.runs, run.teaching));
  const trainingOf = (role: RunCost['role']) =>
    macsOf(runs.filter((run) => run.role === role).flatMap((run) => times(run.runs, run.own.filter(isTraining))));
  return {
    runs,
    sets,
    training: { teacher: trainingOf('teacher'), baseline: trainingOf('baseline'), student: trainingOf('student') },
    validation: macsOf(
      runs.flatMap((run) =>
        times(
          run.runs,
          run.own.filter((work) => !isTraining(work)),
        ),
      ),
    ),
    teachers: {
      online: macsOf(runs.flatMap((run) => times(run.runs, run.teaching))),
      shared: macsOf([...unshared, ...sets.flatMap(({ teaching }) => teaching)]),
    },
  };
}

export const macsOf = (works: readonly Work[]): number => works.reduce((sum, { macs }) => sum + macs, 0);
const times = (count: number, works: readonly Work[]): Work[] => works.map((w) => ({ ...w, macs: count * w.macs }));
const isTraining = ({ kind }: Work): boolean => kind === 'training';
/** Runs that only label train nothing; what they compute is counted with the sets. */
const hasNetwork = ({ role }: PlannedVariant): boolean =>
  role === 'teacher' || role === 'baseline' || role === 'student';

/** As the trainer goes through them: without the last partial batch or, with accumulation, the last partial update. */
export function imagesPerEpoch(trainCount: number, batchSize: number, accumulation = 1): number {
  if (trainCount === 0) return 0;
  const batch = Math.min(batchSize, trainCount);
  const batches = Math.floor(trainCount / batch);
  return batch * (batches - (batches < accumulation ? 0 : batches % accumulation));
}

/** The network of a teacher, or undefined where nothing is known of it. */
function networkOf(ref: NetworkRef, { planned }: StudyDesign, { runs }: CostContext): NetworkName | undefined {
  if (ref.kind === 'pretrained') return KNOWN_WEIGHTS.get(ref.weights)?.network;
  return ref.kind === 'run' ? runs.get(ref.runId)?.network : planned.find(({ key }) => key === ref.key)?.network;
}

/** @throws {Error} for a teacher that nothing is known of: the design was not checked */
function teach(ref: NetworkRef, inputSize: number, images: number, design: StudyDesign, context: CostContext): Work {
  const network = networkOf(ref, design, context);
  if (network === undefined) throw new Error(`Nothing is known of the teacher ${refKey(ref)}.`);
  return {
    kind: 'teaching',
    network,
    inputSize,
    macs: networkCost(network, inputSize, context.classCount).macs * images,
  };
}

/** The sets that the students need, each once; tells every student which are its own. */
function shareLabels(design: StudyDesign, students: readonly Student[], context: CostContext): LabelSetCost[] {
  const { softLabels, discriminatorOptions } = design;
  const needs = ({ levels }: Student) =>
    needsLogits({ discriminator: levels.discriminator !== false, discriminatorOptions });
  const anyNeeds = students.some(needs);
  const kept = softLabels === undefined || softLabels.mode === 'online' ? null : softLabels;
  const isPrefilled = kept?.mode === 'prefill';
  // With as many views as epochs runs would see what they see online. A run that only labels computes all views there are to be.
  const views = isPrefilled ? kept.viewsPerImage : Math.min(kept?.viewsPerImage ?? design.epochs, design.epochs);
  const asked = new Map<string, { set: LabelSet; images: number }>();
  for (const student of students) {
    const { cost, levels, seen } = student;
    if (!isShareable(levels)) continue;
    const sets = setsOf(levels, kept?.logits ?? (kept?.mode === 'cached' ? needs(student) : anyNeeds));
    cost.sets = sets.map(({ key }) => key);
    for (const set of sets) asked.set(set.key, { set, images: (asked.get(set.key)?.images ?? 0) + cost.runs * seen });
  }
  return [...asked.values()].map(({ set, images }) => {
    const all = context.trainCount * views;
    // Of few runs, none of which takes an epoch's last images, some labels may never be needed.
    const labels = isPrefilled ? all : Math.min(all, images);
    const teaching = set.teachers.map((ref) => teach(ref, set.inputSize, labels, design, context));
    return { ...set, views, labels, teaching };
  });
}

/** Whether the labels of a variant could be kept at all. */
function isShareable({ ensemble, mixing }: Levels): boolean {
  const softLabels = { mode: 'cached' as const, viewsPerImage: 1, augmentationSeed: 0, keep: 'full' as const };
  return explainUncacheable({ softLabels, ensemble, mixing: mixing ?? undefined, discriminator: false }) === null;
}
