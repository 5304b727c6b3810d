/** expandDesign: a study design to variants and runs. Pure and deterministic, used by the form's preview and by the hub. */
import { checkDesign, networkOf } from './check-design.ts';
import { describeSetRest, type LabelSet, labelSetsOf } from './label-sets.ts';
import type { NetworkName } from './networks.ts';
import type { RunRole } from './statuses.ts';
import {
  CHOICE_NAMES,
  type Choices,
  choiceKey,
  describeChoices,
  discriminatorWord,
  factorOf,
  RECIPE_CHOICES,
  withoutStandard,
} from './study-choices.ts';
import type { FieldProblem, Levels, NetworkRef, PlannedNetwork, StudyDesign } from './study-design.ts';
import { MAX_RUNS_PER_STUDY } from './tunables.ts';
import { baselineVariantKey, plannedVariantKey, refKey, studentVariantKey, weightRatios } from './variant-key.ts';

/** What the hub or the form knows of runs that a design may refer to. */
export interface KnownRun {
  runId: string;
  /** Short name for tables. */
  label: string;
  network: NetworkName;
  dataset: string;
  /** Null when no host has the run's dataset any more: then it cannot be compared. */
  classCount: number | null;
  succeeded: boolean;
}
export interface DesignContext {
  /** The chosen dataset's class count; null when no host has the dataset. */
  classCount: number | null;
  runs: ReadonlyMap<string, KnownRun>;
}

export interface PlannedRun {
  /** Unique in the study: variant key + seed. */
  key: string;
  seed: number;
}
export interface PlannedVariant {
  /** Unique in the study and stable: built from the levels. */
  key: string;
  role: RunRole;
  label: string;
  /** The levels of a student variant; null for all others. */
  levels: Levels | null;
  /** What is trained, or the first of those that label. */
  network: NetworkName;
  inputSize: number;
  /** What students and baselines are trained with, as far as it differs from MEAL V2. */
  recipe: Pick<Partial<Choices>, (typeof RECIPE_CHOICES)[number]>;
  planned: PlannedNetwork | null;
  /** What a variant that labels computes, and what a student's labels are looked up in; both only of a prefilled study. */
  labelSets: LabelSet[];
  runs: PlannedRun[];
}
export type Expansion =
  | { ok: true; variants: PlannedVariant[]; runCount: number }
  | { ok: false; problems: FieldProblem[] };

type Factors = StudyDesign['factors'];

/** The names of the factors in the order of the variants, the last one fastest. */
const FACTOR_NAMES = ['teachers', 'discriminator', 'inputSize', ...CHOICE_NAMES] as const;
type FactorName = (typeof FACTOR_NAMES)[number];

const isChoice = (name: FactorName): name is keyof Choices => (CHOICE_NAMES as readonly string[]).includes(name);
const levelsOf = (factors: Factors, name: FactorName): readonly unknown[] =>
  isChoice(name) ? factorOf(factors, name) : factors[name];

/** Levels put together from one of each factor; those that are MEAL V2's own are left out, also where they say it in another way. */
function toLevels(parts: Record<string, unknown>): Levels {
  const { teachers, discriminator, inputSize, teacherInputSize, ...others } = parts as Levels;
  const choices = teacherInputSize === inputSize ? others : { teacherInputSize, ...others };
  return { teachers, discriminator, inputSize, ...withoutStandard(choices) };
}

/** Variants are listed factor by factor, the last one fastest: teachers, discriminator, input size, then the other choices. */
function chooseLevels(design: StudyDesign): Levels[] {
  if (design.design === 'list') return design.list.map(toLevels);
  // Teachers at a size of their own that is the student's are the same variant as teachers at the student's.
  const different = new Map<string, Levels>();
  for (const levels of combineLevels(design)) {
    const key = studentVariantKey(levels);
    if (!different.has(key)) different.set(key, levels);
  }
  return [...different.values()];
}

function combineLevels({ design, factors }: StudyDesign): Levels[] {
  if (design === 'full-factorial')
    return FACTOR_NAMES.reduce<Record<string, unknown>[]>(
      (parts, name) => parts.flatMap((part) => levelsOf(factors, name).map((level) => ({ ...part, [name]: level }))),
      [{}],
    ).map(toLevels);
  if (FACTOR_NAMES.some((name) => levelsOf(factors, name).length === 0)) return [];
  const first = Object.fromEntries(FACTOR_NAMES.map((name) => [name, levelsOf(factors, name)[0]]));
  const others = FACTOR_NAMES.flatMap((name) =>
    levelsOf(factors, name)
      .slice(1)
      .map((level) => ({ ...first, [name]: level })),
  );
  return [first, ...others].map(toLevels);
}

/** Baselines of factors: those whose levels the student alone has too, once for each that differs. */
function countBaselines({ design, factors }: StudyDesign): number {
  const different = [
    new Set(factors.inputSize).size,
    ...RECIPE_CHOICES.map((name) => new Set(factorOf(factors, name).map((level) => choiceKey(name, level))).size),
  ];
  if (design === 'full-factorial') return different.reduce((a, b) => a * b, 1);
  return different.reduce((sum, n) => sum + n - 1, 1);
}

/** Runs that a design asks for at most, without making any of them: a slip of the hand may ask for billions. */
function countRuns(design: StudyDesign): number {
  const lengths = FACTOR_NAMES.map((name) => levelsOf(design.factors, name).length);
  const anyEmpty = lengths.includes(0);
  const students = {
    'full-factorial': lengths.reduce((a, b) => a * b, 1),
    'one-at-a-time': anyEmpty ? 0 : lengths.reduce((sum, n) => sum + n - 1, 1),
    list: design.list.length,
  }[design.design];
  const alone =
    design.design === 'list'
      ? new Set(design.list.map((l) => baselineVariantKey(l.inputSize, l))).size
      : anyEmpty
        ? 0
        : countBaselines(design);
  return design.planned.length + (students + (design.baseline ? alone : 0)) * design.seeds.length;
}

/** What stands behind the teachers in a student's label: " · discriminator on · 224 px · temperature 4". */
export const describeRest = (levels: Levels): string =>
  [
    '',
    `discriminator ${discriminatorWord(levels.discriminator)}`,
    `${levels.inputSize} px`,
    ...describeChoices(levels),
  ].join(' · ');

/** "teacher-a + teacher-b · discriminator on · 224 px"; a teacher that counts more than another is followed by how much. */
export const describeLevels = (levels: Levels, context: Pick<DesignContext, 'runs'>): string =>
  `${describeTeachers(levels.teachers, context)}${describeRest(levels)}`;

function describeTeachers(teachers: readonly NetworkRef[], context: Pick<DesignContext, 'runs'>): string {
  const ratios = weightRatios(teachers);
  const names = teachers.map((t, i) => {
    const name = (t.kind === 'run' && context.runs.get(t.runId)?.label) || refKey(t);
    return ratios[i] === 1 ? name : `${name} × ${Number(ratios[i]?.toPrecision(4))}`;
  });
  return names.join(' + ');
}

/**
 * @returns teachers and starts first, then what labels, then baselines, then students, each with one run per seed (of the first
 * two there is one); or every problem found, each naming its field. Nothing above MAX_RUNS_PER_STUDY is ever expanded.
 */
export function expandDesign(design: StudyDesign, context: DesignContext): Expansion {
  const atMost = countRuns(design);
  if (atMost > MAX_RUNS_PER_STUDY) return { ok: false, problems: [describeTooMany(atMost)] };
  const levels = chooseLevels(design);
  const problems = checkDesign(design, levels, context);
  if (problems.length > 0) return { ok: false, problems };

  const teaching = new Set(levels.flatMap((l) => l.teachers.map(refKey)));
  const { initialisation } = design.student;
  const planned = design.planned.map((p): PlannedVariant => {
    // A network trained on hard labels that only starts the student is the student alone: a baseline of its own.
    const onlyStarts = initialisation.kind === 'planned' && initialisation.key === p.key && !teaching.has(p.key);
    const key = plannedVariantKey(p.key);
    return {
      key,
      role: onlyStarts ? 'baseline' : 'teacher',
      label: `${p.key} (${p.network})`,
      levels: null,
      network: p.network,
      inputSize: p.inputSize,
      recipe: {},
      planned: p,
      labelSets: [],
      runs: [{ key: `${key}#${p.seed}`, seed: p.seed }],
    };
  });
  const perSeed = (key: string) => design.seeds.map((seed) => ({ key: `${key}#${seed}`, seed }));
  const different = new Map(levels.map((l) => [baselineVariantKey(l.inputSize, l), l]));
  const baselines = [...(design.baseline ? different : [])].map(([key, l]): PlannedVariant => {
    const recipe = withoutStandard(l, RECIPE_CHOICES);
    const label = ['student alone', `${l.inputSize} px`, ...describeChoices(recipe)].join(' · ');
    const { inputSize } = l;
    const alone = { levels: null, network: design.student.network, planned: null, labelSets: [] };
    return { key, role: 'baseline', label, ...alone, inputSize, recipe, runs: perSeed(key) };
  });
  const setsOf = labelSetsOf(design, levels);
  const seed = design.softLabels?.mode === 'prefill' ? design.softLabels.augmentationSeed : 0;
  const sets = new Map([...setsOf.values()].flat().map((set) => [set.key, set]));
  const labelling = [...sets.values()].map((set): PlannedVariant => {
    const { key, inputSize } = set;
    const label = `labels of ${describeTeachers(set.teachers, context)}${describeSetRest(set)}`;
    const network = networkOf({ design, context }, set.teachers[0]!)!;
    const nothing = { levels: null, recipe: {}, planned: null };
    return {
      key,
      role: 'labelling',
      label,
      ...nothing,
      network,
      inputSize,
      labelSets: [set],
      runs: [{ key: `${key}#${seed}`, seed }],
    };
  });
  const students = levels.map((l): PlannedVariant => {
    const key = studentVariantKey(l);
    const label = describeLevels(l, context);
    const recipe = withoutStandard(l, RECIPE_CHOICES);
    return {
      key,
      role: 'student',
      label,
      levels: l,
      network: design.student.network,
      inputSize: l.inputSize,
      recipe,
      planned: null,
      labelSets: setsOf.get(l) ?? [],
      runs: perSeed(key),
    };
  });
  const variants = [...planned, ...labelling, ...baselines, ...students];
  const runCount = variants.reduce((sum, { runs }) => sum + runs.length, 0);
  if (runCount > MAX_RUNS_PER_STUDY) return { ok: false, problems: [describeTooMany(runCount)] };
  return { ok: true, variants, runCount };
}

function describeTooMany(count: number): FieldProblem {
  const message = `This design makes ${count.toLocaleString('en')} runs; a study holds at most ${MAX_RUNS_PER_STUDY}. Remove levels or seeds.`;
  return { path: 'seeds', message };
}
