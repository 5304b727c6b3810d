/** Studies whose soft labels runs of their own compute before the students train. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { LabellingConfig, RunConfig } from '@mealtable/protocol/run-config';
import type { StudyDesign, StudyDesignInput } from '@mealtable/protocol/study-design';
import { MAX_RUNS_PER_STUDY } from '@mealtable/protocol/tunables';
import { expect, test } from 'vitest';
import { checkGrowth } from '../../server/studies/check-growth.ts';
import { NOTHING_EXISTS, planStudy } from '../../server/studies/plan-study.ts';
import { makeDesign, plannedRef } from '../support/core.ts';

const PREFILL = { mode: 'prefill' as const, viewsPerImage: 4, augmentationSeed: 3, keep: 5 as const };
const [A, B] = [plannedRef('a'), plannedRef('b')];
const factors = { teachers: [[A], [B], [{ ...A, weight: 2 }, B]], discriminator: [false], inputSize: [24] };
const prefilled = (more: Partial<StudyDesignInput> = {}) => makeDesign({ softLabels: PREFILL, factors, ...more });

function expand(design: StudyDesign) {
  const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return expansion.variants;
}
function plan(design: StudyDesign, existing = NOTHING_EXISTS) {
  let n = 0;
  const prefix = existing === NOTHING_EXISTS ? '0' : 'z';
  return planStudy(design, expand(design), existing, (kind) => `${kind}_${prefix}${String(n++).padStart(21, '0')}`);
}
const setsOf = (design: StudyDesign) =>
  expand(design)
    .filter(({ role }) => role === 'labelling')
    .map(({ key, label, network, runs }) => ({ key, label, network, seeds: runs.map(({ seed }) => seed) }));
const keysOf = (design: StudyDesign) => setsOf(design).map(({ key }) => key);

test('each set that students need is computed once, after the teachers and before whoever learns from it', () => {
  expect(expand(prefilled()).map(({ role }) => role)).toEqual([
    'teacher',
    'teacher',
    'labelling',
    'labelling',
    'baseline',
    'student',
    'student',
    'student',
  ]);
  // Two seeds of three students and of the student alone.
  expect(plan(prefilled()).newRuns).toHaveLength(2 + 2 + 2 * (3 + 1));
  expect(setsOf(prefilled())).toEqual([
    { key: 'labels|a|s24', label: 'labels of a · 24 px', network: 'resnet18_w16', seeds: [3] },
    { key: 'labels|b|s24', label: 'labels of b · 24 px', network: 'resnet18_w16', seeds: [3] },
  ]);
});

test('a set belongs to a teacher, a size and a temperature, those of averaged logits to an ensemble with its weights', () => {
  const varied = { ...factors, teachers: [[A]], inputSize: [24, 32], temperature: [1, 4] };
  expect(keysOf(prefilled({ factors: varied }))).toEqual([
    'labels|a|s24',
    'labels|a|s24|t4',
    'labels|a|s32',
    'labels|a|s32|t4',
  ]);
  const joint = prefilled({ factors: { ...factors, ensemble: ['mean-logit'] } });
  expect(keysOf(joint)).toEqual(['labels|a|s24', 'labels|b|s24', 'labels|a*2+b|s24|mean-logit']);
  const { newRuns } = plan(joint);
  const { teachers, ensemble } = LabellingConfig.parse(newRuns[4]?.config);
  expect([teachers.map(({ weight }) => weight), ensemble]).toEqual([[2, undefined], 'mean-logit']);
});

test('only runs that label need the host labels that the study names', () => {
  const { newRuns } = plan(prefilled({ softLabels: { ...PREFILL, hostLabels: ['room:2', 'a100', 'a100'] } }));
  for (const { role, requiredLabels, config } of newRuns) {
    expect([role, requiredLabels]).toEqual([role, role === 'labelling' ? ['a100', 'room:2'] : []]);
    expect(config).not.toHaveProperty('softLabels.hostLabels');
  }
  expect(new Set(plan(prefilled()).newRuns.flatMap(({ requiredLabels }) => requiredLabels)).size).toBe(0);
});

test('logits are in all sets where one student needs them, or where the study says so', () => {
  const both = { ...factors, discriminator: [false, true] };
  expect(keysOf(prefilled({ factors: both }))).toEqual(['labels|a|s24|logits', 'labels|b|s24|logits']);
  expect(keysOf(prefilled({ softLabels: { ...PREFILL, logits: true } }))).toEqual(keysOf(prefilled({ factors: both })));
  const { newRuns } = plan(prefilled({ factors: both }));
  for (const { role, config } of newRuns)
    if (role === 'labelling' || role === 'student') expect(config).toMatchObject({ softLabels: { logits: true } });
});

test('who labels waits for the teachers that it asks, and students wait for those that label', () => {
  const { newRuns, dependencies } = plan(prefilled());
  for (const { config } of newRuns) expect(RunConfig.parse(config)).toEqual(config);
  const [a, b, labelsOfA, labelsOfB] = newRuns.map(({ id }) => id);
  const needsOf = (id: string | undefined) => dependencies.filter((d) => d.runId === id).map((d) => d.dependsOnId);
  expect([needsOf(labelsOfA), needsOf(labelsOfB)]).toEqual([[a], [b]]);
  expect(newRuns[2]).toMatchObject({
    role: 'labelling',
    network: 'resnet18_w16',
    seed: 3,
    config: {
      task: 'labelling',
      teachers: [{ kind: 'run', runId: a }],
      inputSize: 24,
      softLabels: { viewsPerImage: 4, augmentationSeed: 3, keep: 5, logits: false },
    },
  });
  const students = newRuns.filter(({ role }) => role === 'student');
  const labelledBy = [
    [labelsOfA],
    [labelsOfA],
    [labelsOfB],
    [labelsOfB],
    [labelsOfA, labelsOfB],
    [labelsOfA, labelsOfB],
  ];
  const softLabels = { viewsPerImage: 4, augmentationSeed: 3, keep: 5, logits: false };
  expect(students.map(({ config }) => config)).toMatchObject(
    labelledBy.map((ids) => ({ softLabels: { ...softLabels, mode: 'cached', labelledBy: ids } })),
  );
  expect(needsOf(students.at(-1)?.id)).toEqual([a, b, labelsOfA, labelsOfB]);
  const alone = newRuns.filter(({ role }) => role === 'baseline');
  expect(alone.map(({ id }) => needsOf(id))).toEqual([[], []]);
});

test('a study that grows keeps the sets that it has, and adds those with logits when a student comes to need them', () => {
  const before = prefilled();
  const first = plan(before);
  const existing = {
    variantIds: new Map(first.variants.map(({ id, variant }) => [variant.key, id])),
    runIds: new Map(
      first.variants.flatMap(({ variant }) => variant.runs).map(({ key }, i) => [key, first.newRuns[i]?.id ?? '']),
    ),
  };
  const added = (after: StudyDesign) => plan(after, existing).newRuns.map(({ role }) => role);
  const sized = prefilled({ factors: { ...factors, inputSize: [24, 32] } });
  expect(added(sized).filter((role) => role === 'labelling')).toHaveLength(2);
  const judged = prefilled({ factors: { ...factors, discriminator: [false, true] } });
  const { newRuns } = plan(judged, existing);
  expect(newRuns.filter(({ role }) => role === 'labelling')).toHaveLength(2);
  expect(
    checkGrowth({ design: before, variants: expand(before) }, { design: judged, variants: expand(judged) }),
  ).toEqual([]);
});

test('what no set can be kept for is refused as it is with a cache', () => {
  const problemsOf = (design: StudyDesign) => {
    const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
    return expansion.ok ? [] : expansion.problems;
  };
  const mixing = [{ kind: 'cutmix' as const, alpha: 1, probability: 1 }];
  for (const mode of ['cached', 'prefill'] as const) {
    const refuse = (more: object, changes: object = {}) =>
      problemsOf(prefilled({ factors: { ...factors, ...more }, softLabels: { ...PREFILL, mode, ...changes } }));
    expect(refuse({ mixing })).toEqual([{ path: 'softLabels', message: expect.stringMatching(/^Mixed images/) }]);
    expect(refuse({ ensemble: ['random-teacher'] })).toEqual([
      { path: 'softLabels', message: expect.stringMatching(/^A teacher drawn/) },
    ]);
    expect(refuse({ discriminator: [true] }, { logits: false })).toEqual([
      { path: 'softLabels', message: expect.stringMatching(/^The discriminator takes logits/) },
    ]);
  }
  // What labels counts, too.
  const seeds = Array.from({ length: Math.floor(MAX_RUNS_PER_STUDY / 4) }, (_, i) => i);
  expect(problemsOf(prefilled({ seeds }))).toEqual([
    { path: 'seeds', message: expect.stringMatching(/a study holds at most/) },
  ]);
});

test('a run that labels takes one teacher, or several whose logits are averaged', () => {
  const config = plan(prefilled()).newRuns[2]?.config;
  const messagesOf = (more: object) =>
    RunConfig.safeParse({ ...config, ...more }).error?.issues.map(({ message }) => message) ?? [];
  const [one, two] = ['x', 'y'].map((c) => ({ kind: 'run', runId: `run_${c.repeat(22)}` }));
  expect(messagesOf({ teachers: [one, two] })).toEqual([expect.stringMatching(/^Only with the mean of logits/)]);
  expect(messagesOf({ teachers: [one, two], ensemble: 'mean-logit' })).toEqual([]);
  expect(messagesOf({ teachers: [one, one], ensemble: 'mean-logit' })).toEqual(['The same teacher is listed twice.']);
});
