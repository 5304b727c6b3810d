/** expandDesign: a study design to variants and runs. Pure and deterministic, used by the form's preview and by the hub. */
import { checkDesign } from './check-design.ts';
import type { NetworkName } from './networks.ts';
import type { RunRole } from './statuses.ts';
import type { FieldProblem, Levels, PlannedNetwork, StudyDesign } from './study-design.ts';
import { MAX_RUNS_PER_STUDY } from './tunables.ts';
import { baselineVariantKey, plannedVariantKey, refKey, studentVariantKey } from './variant-key.ts';

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
  /** The levels of a student variant; null for teachers and baselines. */
  levels: Levels | null;
  inputSize: number;
  planned: PlannedNetwork | null;
  runs: PlannedRun[];
}
export type Expansion =
  | { ok: true; variants: PlannedVariant[]; runCount: number }
  | { ok: false; problems: FieldProblem[] };

/** Variants are listed factor by factor, the last one fastest: teachers, discriminator, input size. */
function chooseLevels(design: StudyDesign): Levels[] {
  const { teachers, discriminator, inputSize } = design.factors;
  if (design.design === 'list') return design.list;
  if (design.design === 'full-factorial')
    return teachers.flatMap((t) =>
      discriminator.flatMap((d) => inputSize.map((s) => ({ teachers: t, discriminator: d, inputSize: s }))),
    );
  const [t0, d0, s0] = [teachers[0], discriminator[0], inputSize[0]];
  if (t0 === undefined || d0 === undefined || s0 === undefined) return [];
  const first: Levels = { teachers: t0, discriminator: d0, inputSize: s0 };
  return [
    first,
    ...teachers.slice(1).map((t) => ({ ...first, teachers: t })),
    ...discriminator.slice(1).map((d) => ({ ...first, discriminator: d })),
    ...inputSize.slice(1).map((s) => ({ ...first, inputSize: s })),
  ];
}

/** Runs that a design asks for, without making any of them: a slip of the hand may ask for billions. */
function countRuns(design: StudyDesign): number {
  const { teachers, discriminator, inputSize } = design.factors;
  const lengths = [teachers.length, discriminator.length, inputSize.length];
  const anyEmpty = lengths.includes(0);
  const sum = lengths.reduce((a, b) => a + b, 0);
  const students = {
    'full-factorial': lengths.reduce((a, b) => a * b, 1),
    'one-at-a-time': anyEmpty ? 0 : sum - 2,
    list: design.list.length,
  }[design.design];
  const sizes = design.design === 'list' ? design.list.map((l) => l.inputSize) : anyEmpty ? [] : inputSize;
  const baselines = design.baseline ? new Set(sizes).size : 0;
  return design.planned.length + (students + baselines) * design.seeds.length;
}

/** "teacher-a + teacher-b · discriminator on · 224 px" */
export function describeLevels(levels: Levels, context: Pick<DesignContext, 'runs'>): string {
  const names = levels.teachers.map((t) => (t.kind === 'run' && context.runs.get(t.runId)?.label) || refKey(t));
  return `${names.join(' + ')} · discriminator ${levels.discriminator ? 'on' : 'off'} · ${levels.inputSize} px`;
}

/**
 * @returns teachers and starts first, then baselines, then students, each with one run per seed (planned networks have
 * one run); or every problem found, each naming its field. Nothing above MAX_RUNS_PER_STUDY is ever expanded.
 */
export function expandDesign(design: StudyDesign, context: DesignContext): Expansion {
  const runCount = countRuns(design);
  if (runCount > MAX_RUNS_PER_STUDY) return { ok: false, problems: [describeTooMany(runCount)] };
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
      inputSize: p.inputSize,
      planned: p,
      runs: [{ key: `${key}#${p.seed}`, seed: p.seed }],
    };
  });
  const perSeed = (key: string) => design.seeds.map((seed) => ({ key: `${key}#${seed}`, seed }));
  const sizes = [...new Set(levels.map((l) => l.inputSize))];
  const baselines = (design.baseline ? sizes : []).map((inputSize): PlannedVariant => {
    const key = baselineVariantKey(inputSize);
    const label = `student alone · ${inputSize} px`;
    return { key, role: 'baseline', label, levels: null, inputSize, planned: null, runs: perSeed(key) };
  });
  const students = levels.map((l): PlannedVariant => {
    const key = studentVariantKey(l);
    const label = describeLevels(l, context);
    return { key, role: 'student', label, levels: l, inputSize: l.inputSize, planned: null, runs: perSeed(key) };
  });
  return { ok: true, variants: [...planned, ...baselines, ...students], runCount };
}

function describeTooMany(count: number): FieldProblem {
  const message = `This design makes ${count.toLocaleString('en')} runs; a study holds at most ${MAX_RUNS_PER_STUDY}. Remove levels or seeds.`;
  return { path: 'seeds', message };
}
