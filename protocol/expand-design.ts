/** expandDesign: a study design to variants and runs. Pure and deterministic, used by the form's preview and by the hub. */
import { NETWORKS, type NetworkName } from './networks.ts';
import type { RunRole } from './statuses.ts';
import type { FieldProblem, Levels, NetworkRef, PlannedNetwork, StudyDesign } from './study-design.ts';
import { MAX_RUNS_PER_STUDY } from './tunables.ts';

/** What the hub or the form knows of runs that a design may refer to. */
export interface KnownRun {
  runId: string;
  /** Short name for tables. */
  label: string;
  network: NetworkName;
  dataset: string;
  classCount: number;
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
  /** The levels of a student variant; null for teachers, only inputSize for baselines. */
  levels: Levels | null;
  inputSize: number;
  planned: PlannedNetwork | null;
  runs: PlannedRun[];
}
export type Expansion =
  | { ok: true; variants: PlannedVariant[]; runCount: number }
  | { ok: false; problems: FieldProblem[] };

const refKey = (ref: NetworkRef) => (ref.kind === 'run' ? ref.runId : ref.key);
/** The order of an ensemble does not matter to its mean, so it does not make another variant. */
const levelsKey = (l: Levels) =>
  `${l.teachers.map(refKey).sort().join('+')}|d${l.discriminator ? 1 : 0}|s${l.inputSize}`;

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

function checkDesign(design: StudyDesign, levels: Levels[], context: DesignContext): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const add = (path: string, message: string) => problems.push({ path, message });
  const classCount = context.classCount;
  if (classCount === null)
    add('dataset', `No host has a dataset named "${design.dataset}". Attach one, or choose another dataset.`);

  const keys = new Set<string>();
  design.planned.forEach((p, i) => {
    if (keys.has(p.key)) add(`planned.${i}.key`, `Two networks to train first are both named "${p.key}". Rename one.`);
    keys.add(p.key);
    checkSize(p.network, p.inputSize, `planned.${i}.inputSize`);
  });
  function checkSize(network: NetworkName, size: number, path: string) {
    const min = NETWORKS[network].minInputSize;
    if (size < min) add(path, `${network} needs an input of at least ${min} pixels; got ${size}.`);
  }
  function checkRef(ref: NetworkRef, path: string, what: string) {
    if (ref.kind === 'planned') {
      if (!keys.has(ref.key))
        add(path, `${what} "${ref.key}" is not among the networks to train first. Add it, or choose another.`);
      return;
    }
    const run = context.runs.get(ref.runId);
    if (!run) add(path, `${what} ${ref.runId} does not exist. Choose one from the list.`);
    else if (!run.succeeded) add(path, `${what} "${run.label}" has no finished training. Choose a run that succeeded.`);
    else if (classCount !== null && run.classCount !== classCount)
      add(
        path,
        `${what} "${run.label}" knows ${run.classCount} classes, but ${design.dataset} has ${classCount}. Choose one trained on the same classes.`,
      );
  }

  const { initialisation, network } = design.student;
  if (initialisation.kind === 'run' || initialisation.kind === 'planned') {
    checkRef(initialisation, 'student.initialisation', 'The start');
    const start =
      initialisation.kind === 'run'
        ? context.runs.get(initialisation.runId)?.network
        : design.planned.find((p) => p.key === initialisation.key)?.network;
    if (start && start !== network)
      add(
        'student.initialisation',
        `The student is a ${network} but its start is a ${start}. Choose weights of the same network.`,
      );
  }

  if (design.design !== 'list') {
    if (design.factors.teachers.length === 0) add('factors.teachers', 'Choose at least one ensemble of teachers.');
    if (design.factors.discriminator.length === 0)
      add('factors.discriminator', 'Choose the discriminator on, off or both.');
    if (design.factors.inputSize.length === 0) add('factors.inputSize', 'Choose at least one input size.');
    for (const [i, s] of design.factors.inputSize.entries()) checkSize(network, s, `factors.inputSize.${i}`);
    if (new Set(design.factors.inputSize).size !== design.factors.inputSize.length)
      add('factors.inputSize', 'An input size is listed twice.');
    if (new Set(design.factors.discriminator).size !== design.factors.discriminator.length)
      add('factors.discriminator', 'A discriminator level is listed twice.');
  } else if (design.list.length === 0) add('list', 'List at least one variant.');

  const teacherLists = design.design === 'list' ? design.list.map((l) => l.teachers) : design.factors.teachers;
  teacherLists.forEach((set, i) => {
    const path = design.design === 'list' ? `list.${i}.teachers` : `factors.teachers.${i}`;
    for (const ref of set) checkRef(ref, path, 'Teacher');
    if (new Set(set.map(refKey)).size !== set.length) add(path, 'The same teacher is in this ensemble twice.');
  });
  if (design.design === 'list')
    for (const [i, l] of design.list.entries()) checkSize(network, l.inputSize, `list.${i}.inputSize`);

  const repeated = design.seeds.find((s, i) => design.seeds.indexOf(s) !== i);
  if (repeated !== undefined) add('seeds', `Seed ${repeated} is listed twice. Each seed may appear once.`);
  const seen = new Set<string>();
  for (const l of levels) {
    if (seen.has(levelsKey(l))) {
      add(
        design.design === 'list' ? 'list' : 'factors.teachers',
        `The variant ${describeLevels(l, context)} appears twice.`,
      );
      break;
    }
    seen.add(levelsKey(l));
  }
  return problems;
}

/** "teacher-a + teacher-b · discriminator on · 224 px" */
export function describeLevels(levels: Levels, context: Pick<DesignContext, 'runs'>): string {
  const names = levels.teachers.map((t) =>
    t.kind === 'planned' ? t.key : (context.runs.get(t.runId)?.label ?? t.runId),
  );
  return `${names.join(' + ')} · discriminator ${levels.discriminator ? 'on' : 'off'} · ${levels.inputSize} px`;
}

/**
 * @returns teachers and starts first, then baselines, then students, each with one run per seed (planned networks have
 * one run); or every problem found, each naming its field. Nothing above MAX_RUNS_PER_STUDY is ever expanded.
 */
export function expandDesign(design: StudyDesign, context: DesignContext): Expansion {
  const count =
    Math.max(design.factors.teachers.length, 1) *
    Math.max(design.factors.discriminator.length, 1) *
    Math.max(design.factors.inputSize.length, 1);
  if (design.design === 'full-factorial' && count * design.seeds.length > MAX_RUNS_PER_STUDY)
    return tooMany(count * design.seeds.length);
  const levels = chooseLevels(design);
  const problems = checkDesign(design, levels, context);

  const planned = design.planned.map(
    (p): PlannedVariant => ({
      key: `planned:${p.key}`,
      role:
        design.student.initialisation.kind === 'planned' && design.student.initialisation.key === p.key
          ? 'baseline'
          : 'teacher',
      label: `${p.key} (${p.network})`,
      levels: null,
      inputSize: p.inputSize,
      planned: p,
      runs: [{ key: `planned:${p.key}#${p.seed}`, seed: p.seed }],
    }),
  );
  const perSeed = (key: string) => design.seeds.map((seed) => ({ key: `${key}#${seed}`, seed }));
  const sizes = [...new Set(levels.map((l) => l.inputSize))];
  const baselines = (design.baseline ? sizes : []).map((inputSize): PlannedVariant => {
    const key = `baseline|s${inputSize}`;
    return {
      key,
      role: 'baseline',
      label: `student alone · ${inputSize} px`,
      levels: null,
      inputSize,
      planned: null,
      runs: perSeed(key),
    };
  });
  const students = levels.map((l): PlannedVariant => {
    const key = levelsKey(l);
    return {
      key,
      role: 'student',
      label: describeLevels(l, context),
      levels: l,
      inputSize: l.inputSize,
      planned: null,
      runs: perSeed(key),
    };
  });
  const variants = [...planned, ...baselines, ...students];
  const runCount = variants.reduce((n, v) => n + v.runs.length, 0);
  if (runCount > MAX_RUNS_PER_STUDY) return tooMany(runCount);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, variants, runCount };
}

function tooMany(count: number): Expansion {
  const message = `This design makes ${count.toLocaleString('en')} runs; a study holds at most ${MAX_RUNS_PER_STUDY}. Remove levels or seeds.`;
  return { ok: false, problems: [{ path: 'seeds', message }] };
}
