import { type DesignContext, expandDesign, type KnownRun } from '@mealtable/protocol/expand-design';
import { NETWORKS } from '@mealtable/protocol/networks';
import { StudyDesign, type StudyDesignInput } from '@mealtable/protocol/study-design';
import { MAX_RUNS_PER_STUDY } from '@mealtable/protocol/tunables';
import { describe, expect, test } from 'vitest';

const RUN_A = `run_${'a'.repeat(22)}`;
const RUN_B = `run_${'b'.repeat(22)}`;

const planned = (key: string, more: object = {}) => ({
  key,
  network: 'resnet18_w16' as const,
  inputSize: 32,
  epochs: 2,
  batchSize: 16,
  seed: 1,
  optimizer: { learningRate: 0.1 },
  ...more,
});
const ref = (key: string) => ({ kind: 'planned' as const, key });
const run = (runId: string) => ({ kind: 'run' as const, runId });

function makeDesign(more: Partial<StudyDesignInput> = {}): StudyDesign {
  return StudyDesign.parse({
    version: 1,
    dataset: 'digits',
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    epochs: 2,
    batchSize: 16,
    optimizer: { learningRate: 0.05 },
    planned: [planned('a'), planned('b')],
    baseline: false,
    design: 'full-factorial',
    factors: { teachers: [[ref('a')], [ref('a'), ref('b')]], discriminator: [true, false], inputSize: [16, 24] },
    list: [],
    seeds: [1, 2],
    ...more,
  } satisfies StudyDesignInput);
}
const known = (runId: string, more: Partial<KnownRun> = {}): [string, KnownRun] => [
  runId,
  { runId, label: 'old', network: 'resnet18_w8', dataset: 'digits', classCount: 10, succeeded: true, ...more },
];
const context = (runs: [string, KnownRun][] = [], classCount: number | null = 10): DesignContext => ({
  classCount,
  runs: new Map(runs),
});

function expandOk(design: StudyDesign, ctx = context()) {
  const expansion = expandDesign(design, ctx);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return expansion;
}
function problemsOf(design: StudyDesign, ctx = context()) {
  const expansion = expandDesign(design, ctx);
  return expansion.ok ? [] : expansion.problems;
}

describe('what a design makes', () => {
  test('a full factorial makes every combination once, teachers slowest and size fastest, one run per seed', () => {
    const { variants, runCount } = expandOk(makeDesign());
    const students = variants.filter((v) => v.role === 'student');
    expect(students.map((v) => v.key)).toEqual([
      'a|d1|s16',
      'a|d1|s24',
      'a|d0|s16',
      'a|d0|s24',
      'a+b|d1|s16',
      'a+b|d1|s24',
      'a+b|d0|s16',
      'a+b|d0|s24',
    ]);
    expect(runCount).toBe(2 + 8 * 2);
    expect(students[0]?.runs).toEqual([
      { key: 'a|d1|s16#1', seed: 1 },
      { key: 'a|d1|s16#2', seed: 2 },
    ]);
  });

  test('one at a time: the first levels, then each other level alone', () => {
    const { variants } = expandOk(makeDesign({ design: 'one-at-a-time' }));
    expect(variants.filter((v) => v.role === 'student').map((v) => v.key)).toEqual([
      'a|d1|s16',
      'a+b|d1|s16',
      'a|d0|s16',
      'a|d1|s24',
    ]);
  });

  test('a list makes exactly what it lists and ignores the factors', () => {
    const list = [{ teachers: [ref('b')], discriminator: false, inputSize: 40 }];
    const { variants } = expandOk(
      makeDesign({ design: 'list', list, factors: { teachers: [], discriminator: [], inputSize: [] } }),
    );
    expect(variants.filter((v) => v.role === 'student').map((v) => v.key)).toEqual(['b|d0|s40']);
  });

  test('planned networks come first with one run each, then a baseline per size, then students', () => {
    const { variants, runCount } = expandOk(makeDesign({ baseline: true }));
    expect(variants.slice(0, 4).map((v) => [v.key, v.role, v.runs.length])).toEqual([
      ['planned:a', 'teacher', 1],
      ['planned:b', 'teacher', 1],
      ['baseline|s16', 'baseline', 2],
      ['baseline|s24', 'baseline', 2],
    ]);
    expect(runCount).toBe(variants.reduce((n, v) => n + v.runs.length, 0));
  });

  test('a planned start is a baseline, unless it teaches as well', () => {
    const student = { network: 'resnet18_w16' as const, initialisation: ref('start') };
    const only = expandOk(makeDesign({ student, planned: [planned('a'), planned('b'), planned('start')] }));
    expect(only.variants.find((v) => v.key === 'planned:start')?.role).toBe('baseline');
    const both = expandOk(makeDesign({ student: { network: 'resnet18_w16', initialisation: ref('a') } }));
    expect(both.variants.find((v) => v.key === 'planned:a')?.role).toBe('teacher');
  });

  test('labels name the ensemble, the discriminator and the size; existing runs by their label', () => {
    const factors = { teachers: [[run(RUN_A), ref('b')]], discriminator: [false], inputSize: [24] };
    const { variants } = expandOk(makeDesign({ factors }), context([known(RUN_A, { label: 'teacher x' })]));
    expect(variants.at(-1)?.label).toBe('teacher x + b · discriminator off · 24 px');
  });

  test('the same design expands to the same value, and never changes the design', () => {
    const design = Object.freeze(makeDesign({ baseline: true }));
    const before = JSON.stringify(design);
    expect(expandOk(design)).toEqual(expandOk(makeDesign({ baseline: true })));
    expect(JSON.stringify(design)).toBe(before);
  });

  test('variant and run keys are unique, and stay the same when a design grows', () => {
    const small = expandOk(makeDesign({ baseline: true }));
    const grown = expandOk(
      makeDesign({
        baseline: true,
        seeds: [7, 1, 2],
        factors: {
          teachers: [[ref('b')], [ref('b'), ref('a')], [ref('a')]],
          discriminator: [false, true],
          inputSize: [24, 32, 16],
        },
      }),
    );
    const keysOf = (e: typeof small) => e.variants.flatMap((v) => v.runs.map((r) => r.key));
    expect(new Set(keysOf(grown)).size).toBe(grown.runCount);
    for (const key of keysOf(small)) expect(keysOf(grown)).toContain(key);
  });
});

describe('what is refused, with the field and the reason', () => {
  const cases: [string, StudyDesign, DesignContext, string, RegExp][] = [
    ['an unknown dataset', makeDesign(), context([], null), 'dataset', /No host has a dataset named "digits"/],
    [
      'a planned teacher that is not planned',
      makeDesign({ planned: [planned('a')] }),
      context(),
      'factors.teachers.1',
      /"b" is not among/,
    ],
    [
      'a run that does not exist',
      makeDesign({ factors: { teachers: [[run(RUN_A)]], discriminator: [true], inputSize: [16] } }),
      context(),
      'factors.teachers.0',
      /does not exist/,
    ],
    [
      'a teacher that has not finished',
      makeDesign({ factors: { teachers: [[run(RUN_A)]], discriminator: [true], inputSize: [16] } }),
      context([known(RUN_A, { succeeded: false })]),
      'factors.teachers.0',
      /no finished training/,
    ],
    [
      'a teacher with other classes',
      makeDesign({ factors: { teachers: [[ref('a')], [run(RUN_A)]], discriminator: [true], inputSize: [16] } }),
      context([known(RUN_A, { classCount: 1000 })]),
      'factors.teachers.1',
      /knows 1000 classes, but digits has 10/,
    ],
    [
      'the same teacher twice in an ensemble',
      makeDesign({ factors: { teachers: [[ref('a'), ref('a')]], discriminator: [true], inputSize: [16] } }),
      context(),
      'factors.teachers.0',
      /twice/,
    ],
    [
      'the same ensemble in another order',
      makeDesign({
        factors: {
          teachers: [
            [ref('a'), ref('b')],
            [ref('b'), ref('a')],
          ],
          discriminator: [true],
          inputSize: [16],
        },
      }),
      context(),
      'factors.teachers.1',
      /listed twice/,
    ],
    [
      'a size listed twice',
      makeDesign({ factors: { teachers: [[ref('a')]], discriminator: [true], inputSize: [16, 24, 16] } }),
      context(),
      'factors.inputSize.2',
      /16 is listed twice/,
    ],
    [
      'a discriminator level listed twice',
      makeDesign({ factors: { teachers: [[ref('a')]], discriminator: [true, true], inputSize: [16] } }),
      context(),
      'factors.discriminator',
      /on twice/,
    ],
    [
      'no teachers',
      makeDesign({ factors: { teachers: [], discriminator: [true], inputSize: [16] } }),
      context(),
      'factors.teachers',
      /at least one/,
    ],
    [
      'no discriminator level',
      makeDesign({ factors: { teachers: [[ref('a')]], discriminator: [], inputSize: [16] } }),
      context(),
      'factors.discriminator',
      /on, off or both/,
    ],
    [
      'no size',
      makeDesign({ factors: { teachers: [[ref('a')]], discriminator: [true], inputSize: [] } }),
      context(),
      'factors.inputSize',
      /at least one/,
    ],
    ['an empty list', makeDesign({ design: 'list' }), context(), 'list', /at least one variant/],
    [
      'a variant listed twice',
      makeDesign({
        design: 'list',
        list: [
          { teachers: [ref('a'), ref('b')], discriminator: true, inputSize: 16 },
          { teachers: [ref('b'), ref('a')], discriminator: true, inputSize: 16 },
        ],
      }),
      context(),
      'list.1',
      /listed twice/,
    ],
    ['a seed listed twice', makeDesign({ seeds: [3, 1, 3] }), context(), 'seeds', /Seed 3 is listed twice/],
    [
      'two planned networks of one name',
      makeDesign({ planned: [planned('a'), planned('b'), planned('a')] }),
      context(),
      'planned.2.key',
      /both named "a"/,
    ],
    [
      'a start of another network',
      makeDesign({ student: { network: 'resnet18_w8', initialisation: ref('a') } }),
      context(),
      'student.initialisation',
      /resnet18_w8 but its start is a resnet18_w16/,
    ],
    [
      'a start that is not planned',
      makeDesign({ student: { network: 'resnet18_w8', initialisation: ref('zz') } }),
      context(),
      'student.initialisation',
      /"zz" is not among/,
    ],
    [
      'a start with other classes',
      makeDesign({ student: { network: 'resnet18_w8', initialisation: run(RUN_B) } }),
      context([known(RUN_B, { classCount: 3 })]),
      'student.initialisation',
      /knows 3 classes/,
    ],
  ];
  test.each(cases)('%s', (_name, design, ctx, path, message) => {
    const problems = problemsOf(design, ctx);
    expect(problems.map((p) => p.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });

  test('a size that any network of a variant cannot take, teachers included', () => {
    const spec = NETWORKS.resnet18_w16 as { minInputSize: number };
    const before = spec.minInputSize;
    spec.minInputSize = 20;
    try {
      expect(problemsOf(makeDesign())).toEqual([
        { path: 'factors.inputSize.0', message: 'resnet18_w16 needs an input of at least 20 pixels; got 16.' },
      ]);
    } finally {
      spec.minInputSize = before;
    }
  });

  test('a run whose dataset is gone everywhere is not compared by class count', () => {
    const factors = { teachers: [[run(RUN_A)]], discriminator: [true], inputSize: [16] };
    expect(problemsOf(makeDesign({ factors }), context([known(RUN_A, { classCount: null })]))).toEqual([]);
  });

  test('every problem is listed, not only the first', () => {
    const paths = problemsOf(makeDesign({ seeds: [1, 1], planned: [] }), context([], null)).map((p) => p.path);
    expect(paths).toEqual(['dataset', 'factors.teachers.0', 'factors.teachers.1', 'factors.teachers.1', 'seeds']);
  });
});

describe('size', () => {
  const manySeeds = (n: number) => Array.from({ length: n }, (_, i) => i);

  test.each(['full-factorial', 'one-at-a-time', 'list'] as const)(
    '10,000 runs by accident are refused at once, as %s',
    (design) => {
      const list = [{ teachers: [ref('a')], discriminator: true, inputSize: 16 }];
      const asked = makeDesign({ design, list, seeds: manySeeds(200_000) });
      const problems = problemsOf(asked);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ path: 'seeds', message: expect.stringMatching(/a study holds at most 500/) });
    },
  );

  test('the limit counts planned networks and baselines, and exactly the limit is allowed', () => {
    const factors = { teachers: [[ref('a')]], discriminator: [true], inputSize: [16] };
    const room = (MAX_RUNS_PER_STUDY - 2) / 2;
    expect(expandOk(makeDesign({ factors, baseline: true, seeds: manySeeds(room) })).runCount).toBe(MAX_RUNS_PER_STUDY);
    const [problem] = problemsOf(makeDesign({ factors, baseline: true, seeds: manySeeds(room + 1) }));
    expect(problem?.message).toContain('makes 502 runs');
  });

  test('the count before expansion equals the runs after it, for every kind of design', () => {
    for (const design of ['full-factorial', 'one-at-a-time', 'list'] as const)
      for (const baseline of [true, false])
        for (let t = 1; t <= 3; t++)
          for (let s = 1; s <= 3; s++) {
            const teachers = [[ref('a')], [ref('b')], [ref('a'), ref('b')]].slice(0, t);
            const inputSize = [16, 20, 24].slice(0, s);
            const list = inputSize.flatMap((size) =>
              teachers.map((set) => ({ teachers: set, discriminator: true, inputSize: size })),
            );
            const factors = { teachers, discriminator: [true, false], inputSize };
            const e = expandOk(makeDesign({ design, baseline, factors, list, seeds: manySeeds(t + s) }));
            expect(e.variants.reduce((n, v) => n + v.runs.length, 0)).toBe(e.runCount);
          }
  });
});
