import { expandDesign } from '@mealtable/protocol/expand-design';
import { RunConfig, TrainingConfig, teacherId } from '@mealtable/protocol/run-config';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';
import { checkGrowth } from '../../server/studies/check-growth.ts';
import { NOTHING_EXISTS, planStudy } from '../../server/studies/plan-study.ts';
import { makeDesign, plannedRef, smallDesign } from '../support/core.ts';

function expand(design: StudyDesign) {
  const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return expansion.variants;
}
function countingIds() {
  let n = 0;
  return (kind: string) => `${kind}_${String(n++).padStart(22, '0')}`.replace('variant', 'var');
}
const plan = (design: StudyDesign, existing = NOTHING_EXISTS) =>
  planStudy(design, expand(design), existing, countingIds());

describe('the plan of a new study', () => {
  test('one row per variant and per variant and seed, each with a config that is complete by itself', () => {
    const { variants, newRuns } = plan(makeDesign());
    expect(variants.map((v) => [v.position, v.variant.role, v.isNew])).toEqual([
      [0, 'teacher', true],
      [1, 'teacher', true],
      [2, 'baseline', true],
      [3, 'student', true],
      [4, 'student', true],
      [5, 'student', true],
      [6, 'student', true],
    ]);
    expect(newRuns).toHaveLength(12);
    for (const run of newRuns) expect(RunConfig.parse(run.config)).toEqual(run.config);
  });

  test('planned networks have their own budget, students and baselines the study’s', () => {
    const { newRuns } = plan(makeDesign());
    const byRole = (role: string) => newRuns.filter((r) => r.role === role).map((r) => r.config);
    for (const config of byRole('teacher'))
      expect(config).toMatchObject({ task: 'classification', network: 'resnet18_w16', epochs: 2, seed: 1 });
    for (const config of byRole('baseline'))
      expect(config).toMatchObject({ task: 'classification', network: 'resnet18_w8', epochs: 3 });
    for (const config of byRole('student'))
      expect(config).toMatchObject({ task: 'distillation', network: 'resnet18_w8', epochs: 3 });
    expect(byRole('student').map((c) => TrainingConfig.parse(c).seed)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  });

  test('planned references become run ids, and exactly those are waited for', () => {
    const { newRuns, dependencies } = plan(makeDesign());
    const teachers = newRuns.filter((r) => r.role === 'teacher').map((r) => r.id);
    for (const run of newRuns) {
      const needs = dependencies.filter((d) => d.runId === run.id).map((d) => d.dependsOnId);
      const named = run.config.task === 'distillation' ? run.config.teachers.map(teacherId) : [];
      expect(needs).toEqual(named);
      for (const id of named) expect(teachers).toContain(id);
    }
  });

  test('a planned start is waited for by students and baselines, once even if it teaches too', () => {
    const design = makeDesign({ student: { network: 'resnet18_w16', initialisation: plannedRef('a') } });
    const { newRuns, dependencies } = plan(design);
    for (const run of newRuns.filter((r) => r.role !== 'teacher')) {
      const needs = dependencies.filter((d) => d.runId === run.id).map((d) => d.dependsOnId);
      expect(new Set(needs).size).toBe(needs.length);
      expect(needs).toContain(newRuns[0]?.id);
      expect(TrainingConfig.parse(run.config).initialisation).toEqual({ kind: 'run', runId: newRuns[0]?.id });
    }
  });

  test('a planned network and the student start from the published weights that the design names', () => {
    const replaced = (weights: string) => ({ kind: 'pretrained' as const, weights, head: 'replace' as const });
    const [teacher] = makeDesign().planned;
    const design = makeDesign({
      planned: [{ ...teacher!, key: 'a', network: 'resnet18', initialisation: replaced('resnet18.tv_in1k') }],
      student: { network: 'resnet50', initialisation: replaced('resnet50.ram_in1k') },
      factors: { teachers: [[plannedRef('a')]], discriminator: [true], inputSize: [24] },
    });
    const { newRuns } = plan(design);
    const startOf = (config: unknown) => JSON.stringify(TrainingConfig.parse(config).initialisation);
    expect(new Set(newRuns.map(({ role, config }) => `${role} ${startOf(config)}`))).toEqual(
      new Set([
        `teacher ${JSON.stringify(replaced('resnet18.tv_in1k'))}`,
        `baseline ${JSON.stringify(replaced('resnet50.ram_in1k'))}`,
        `student ${JSON.stringify(replaced('resnet50.ram_in1k'))}`,
      ]),
    );
  });

  test('every run computes in the precision of the study', () => {
    const { newRuns } = plan(makeDesign({ precision: 'bfloat16' }));
    expect(new Set(newRuns.map(({ role, config }) => `${role} ${TrainingConfig.parse(config).precision}`))).toEqual(
      new Set(['teacher bfloat16', 'baseline bfloat16', 'student bfloat16']),
    );
  });

  test('an existing run as teacher is used as it is and not waited for', () => {
    const runId = `run_${'x'.repeat(22)}`;
    const design = makeDesign({
      planned: [],
      factors: { teachers: [[{ kind: 'run', runId }]], discriminator: [true], inputSize: [24] },
    });
    const known = {
      runId,
      label: 'old',
      network: 'resnet18_w16' as const,
      dataset: 'd',
      classCount: 10,
      succeeded: true,
    };
    const expansion = expandDesign(design, { classCount: 10, runs: new Map([[runId, known]]) });
    if (!expansion.ok) throw new Error('refused');
    const { newRuns, dependencies } = planStudy(design, expansion.variants, NOTHING_EXISTS, countingIds());
    expect(dependencies).toEqual([]);
    expect(newRuns.at(-1)?.config).toMatchObject({ teachers: [{ kind: 'run', runId }] });
  });
});

describe('growing', () => {
  const grow = (before: StudyDesign, after: StudyDesign) =>
    checkGrowth({ design: before, variants: expand(before) }, { design: after, variants: expand(after) });

  test('seeds, levels, networks and the baseline may be added, in any order, and the kind of design may change', () => {
    const before = smallDesign();
    const after = makeDesign({ seeds: [9, 1] });
    expect(grow(before, after)).toEqual([]);
    const list = [
      { teachers: [plannedRef('a')], discriminator: false, inputSize: 32 },
      { teachers: [plannedRef('a')], discriminator: true, inputSize: 24 },
    ];
    expect(grow(before, makeDesign({ ...smallDesign(), design: 'list', list }))).toEqual([]);
  });

  test('a factor that a study did not have may be added, as long as what ran stays one of its levels', () => {
    const before = smallDesign();
    const withTemperature = (temperature: number[]) =>
      makeDesign({ ...smallDesign(), factors: { ...before.factors, temperature } });
    expect(grow(before, withTemperature([4, 1]))).toEqual([]);
    expect(grow(before, withTemperature([4]))).not.toEqual([]);
    const changed = makeDesign({ ...smallDesign(), accumulation: 2, discriminatorOptions: { finalRelu: false } });
    expect(grow(before, changed).map(({ path }) => path)).toEqual(['accumulation', 'discriminatorOptions']);
  });

  const small = smallDesign();
  test.each<[string, Partial<StudyDesign>, string[]]>([
    ['the dataset', { dataset: 'other' }, ['dataset']],
    ['the student', { student: { network: 'resnet34_w8', initialisation: { kind: 'random' } } }, ['student']],
    ['the epochs', { epochs: 99 }, ['epochs']],
    ['the batch size', { batchSize: 99 }, ['batchSize']],
    ['the optimiser', { optimizer: { ...small.optimizer, learningRate: 1 } }, ['optimizer']],
    ['the precision', { precision: 'bfloat16' }, ['precision']],
    ['a planned network', { planned: [{ ...small.planned[0]!, epochs: 50 }] }, ['planned.0']],
    ['a seed that was there', { seeds: [2] }, ['seeds']],
    ['a level that was there', { factors: { ...small.factors, discriminator: [false] } }, ['factors']],
  ])('%s cannot change', (_what, more, paths) => {
    expect(grow(small, { ...small, ...more }).map((p) => p.path)).toEqual(paths);
  });

  test('a baseline and a planned network cannot go', () => {
    const before = makeDesign();
    const after = makeDesign({ baseline: false });
    expect(grow(before, after).map((p) => p.path)).toEqual(['baseline']);
    const without = { ...smallDesign(), planned: [makeDesign().planned[0]!] };
    expect(grow(makeDesign({ ...smallDesign(), planned: makeDesign().planned }), without).map((p) => p.path)).toEqual([
      'planned',
    ]);
  });

  test('what exists keeps its id, and only the rest is new', () => {
    const before = smallDesign();
    const first = plan(before);
    const existing = {
      variantIds: new Map(first.variants.map((v) => [v.variant.key, v.id])),
      runIds: new Map(
        first.variants.flatMap((v) =>
          v.variant.runs.map((r) => [r.key, first.newRuns.find((n) => n.variantId === v.id)!.id] as const),
        ),
      ),
    };
    const second = planStudy(
      makeDesign(),
      expand(makeDesign()),
      existing,
      (kind) => `${kind.slice(0, 3)}_${'z'.repeat(22)}`,
    );
    const kept = second.variants.filter((v) => !v.isNew).map((v) => v.id);
    expect(kept.sort()).toEqual(first.variants.map((v) => v.id).sort());
    expect(second.newRuns).toHaveLength(12 - 2);
    const student = second.newRuns.find((r) => r.config.task === 'distillation');
    expect(second.dependencies.find((d) => d.runId === student?.id)?.dependsOnId).toBe(first.newRuns[0]?.id);
  });
});
