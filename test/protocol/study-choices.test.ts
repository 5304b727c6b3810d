/** Factors of a study besides the paper's own: levels are told apart, and saying MEAL V2's own is the same as saying nothing. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { StudyDesign, type StudyDesignInput } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';

const TEACHER_A = { kind: 'planned' as const, key: 'a' };
const TEACHER_B = { kind: 'planned' as const, key: 'b' };
const budget = { epochs: 2, batchSize: 16, optimizer: { learningRate: 0.1 } };
const planned = (key: string) => ({ key, network: 'resnet18_w16' as const, inputSize: 32, seed: 1, ...budget });
const plainFactors = { teachers: [[TEACHER_A]], discriminator: [true], inputSize: [32] };

function makeDesign(more: Partial<StudyDesignInput> = {}): StudyDesign {
  return StudyDesign.parse({
    version: 1,
    dataset: 'digits',
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    ...budget,
    planned: [planned('a'), planned('b')],
    baseline: false,
    design: 'full-factorial',
    factors: plainFactors,
    list: [],
    seeds: [1],
    ...more,
  } satisfies StudyDesignInput);
}
const expand = (design: StudyDesign) => expandDesign(design, { classCount: 10, runs: new Map() });
function variantsOf(design: StudyDesign) {
  const expansion = expand(design);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return expansion.variants.filter((v) => v.planned === null);
}
const problemsOf = (design: StudyDesign) => {
  const expansion = expand(design);
  return expansion.ok ? [] : expansion.problems;
};
const CUTMIX = { kind: 'cutmix' as const, alpha: 1, probability: 1 };

describe('levels', () => {
  test.each([
    ['teacherInputSize', [null, 40, 64], ['teachers at 40 px', 'teachers at 64 px']],
    ['ensemble', ['mean-probability', 'mean-logit', 'random-teacher'], ['mean of logits', 'random teacher']],
    ['temperature', [1, 4, 2.5], ['temperature 4', 'temperature 2.5']],
    ['hardLabelWeight', [0, 0.5, 0.25], ['hard labels 0.5', 'hard labels 0.25']],
    ['mixing', [null, CUTMIX, { kind: 'mixup', alpha: 0.2, probability: 0.5 }], ['CutMix', 'Mixup α 0.2 at 50 %']],
    [
      'ema',
      [null, { decay: 0.999, warmup: true }, { decay: 0.999, warmup: false }],
      ['EMA 0.999', 'EMA 0.999 without warm-up'],
    ],
    ['discriminator', [true, 'reversal', 'detached'], []],
  ])(
    'of %s make variants of their own, and the first keeps the key that it has without the factor',
    (name, levels, words) => {
      const variants = variantsOf(makeDesign({ factors: { ...plainFactors, [name]: levels } }));
      expect(new Set(variants.map((v) => v.key)).size).toBe(3);
      expect(new Set(variants.map((v) => v.label)).size).toBe(3);
      expect(variants[0]).toEqual(variantsOf(makeDesign())[0]);
      expect(variants[0]?.key).toBe('a|d1|s32');
      const named = words.map((word) => `a · discriminator on · 32 px · ${word}`);
      expect(variants.slice(1, 1 + named.length).map((v) => v.label)).toEqual(named);
    },
  );

  test('of the discriminator are named by what the student has of it', () => {
    const factors = { ...plainFactors, discriminator: [false, true, 'reversal' as const, 'detached' as const] };
    expect(variantsOf(makeDesign({ factors })).map((v) => v.label.split(' · ')[1])).toEqual([
      'discriminator off',
      'discriminator on',
      'discriminator reversed',
      'discriminator detached',
    ]);
  });

  test('teachers at a size that is the student’s are teachers at the student’s: one variant, however it is said', () => {
    const factors = { ...plainFactors, inputSize: [32, 40], teacherInputSize: [null, 40] };
    const labels = (more: Partial<StudyDesignInput>) =>
      variantsOf(makeDesign({ factors, ...more })).map((v) => v.label);
    const at = (size: string) => `a · discriminator on · ${size}`;
    expect(labels({})).toEqual([at('32 px'), at('32 px · teachers at 40 px'), at('40 px')]);
    expect(labels({ design: 'one-at-a-time' })).toEqual([at('32 px'), at('40 px'), at('32 px · teachers at 40 px')]);
    const list = [{ teachers: [TEACHER_A], discriminator: true, inputSize: 40, teacherInputSize: 40 }];
    expect(labels({ design: 'list', list })).toEqual([at('40 px')]);
    const [variant] = variantsOf(makeDesign({ design: 'list', list }));
    expect(variant?.levels).toEqual({ teachers: [TEACHER_A], discriminator: true, inputSize: 40 });
  });

  test('one at a time: each differs from the base in one factor', () => {
    const factors = { ...plainFactors, temperature: [1, 4], mixing: [null, CUTMIX] };
    const labels = variantsOf(makeDesign({ design: 'one-at-a-time', factors })).map((v) => v.label);
    const base = 'a · discriminator on · 32 px';
    expect(labels).toEqual([base, `${base} · temperature 4`, `${base} · CutMix`]);
  });

  test('weights make another ensemble, equal ones and their scale do not', () => {
    const keyOf = (a?: number, b?: number) => {
      const teachers = [
        [
          { ...TEACHER_A, weight: a },
          { ...TEACHER_B, weight: b },
        ],
      ];
      return variantsOf(makeDesign({ factors: { ...plainFactors, teachers } }))[0];
    };
    expect(keyOf()?.key).toBe('a+b|d1|s32');
    expect(keyOf(3, 3)?.key).toBe('a+b|d1|s32');
    expect(keyOf(2)?.key).toBe('a*2+b|d1|s32');
    expect(keyOf(0.6, 0.3)?.key).toBe('a*2+b|d1|s32');
    expect(keyOf(2)?.label).toBe('a × 2 + b · discriminator on · 32 px');
  });
});

describe('the student alone', () => {
  test('is trained with each recipe that a student has, and knows nothing of the method', () => {
    const factors = { ...plainFactors, temperature: [1, 4], mixing: [null, CUTMIX] };
    const alone = variantsOf(makeDesign({ baseline: true, factors })).filter((v) => v.role === 'baseline');
    expect(alone.map((v) => [v.key, v.label])).toEqual([
      ['baseline|s32', 'student alone · 32 px'],
      ['baseline|s32|cutmix-1-1', 'student alone · 32 px · CutMix'],
    ]);
  });

  test('the count before expansion equals the runs after it', () => {
    const factors = {
      teachers: [[TEACHER_A], [TEACHER_B]],
      discriminator: [false, 'reversal' as const],
      inputSize: [32, 40],
      temperature: [1, 4, 8],
      mixing: [null, CUTMIX],
      ema: [{ decay: 0.9, warmup: true }, null],
    };
    const list = [
      { teachers: [TEACHER_A], discriminator: true, inputSize: 32 },
      { teachers: [TEACHER_A], discriminator: true, inputSize: 32, mixing: CUTMIX },
      { teachers: [TEACHER_A], discriminator: false, inputSize: 32, mixing: CUTMIX },
    ];
    for (const design of ['full-factorial', 'one-at-a-time', 'list'] as const)
      for (const baseline of [true, false]) {
        const expansion = expand(makeDesign({ design, baseline, factors, list, seeds: [1, 2] }));
        if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
        expect(expansion.variants.reduce((n, v) => n + v.runs.length, 0)).toBe(expansion.runCount);
      }
  });
});

describe('what is refused, with its field', () => {
  test.each([
    ['a level twice', { factors: { ...plainFactors, temperature: [4, 4] } }, 'factors.temperature.1', /listed twice/],
    ['a factor without levels', { factors: { ...plainFactors, ema: [] } }, 'factors.ema', /at least one level/],
    [
      'a discriminator level twice',
      { factors: { ...plainFactors, discriminator: ['reversal' as const, 'reversal' as const] } },
      'factors.discriminator',
      /listed reversed twice/,
    ],
    ['smoothing of labels that nobody reads', { labelSmoothing: 0.1 }, 'labelSmoothing', /acts on hard labels/],
    [
      'options of a discriminator that nobody has',
      { factors: { ...plainFactors, discriminator: [false] }, discriminatorOptions: { finalRelu: false } },
      'discriminatorOptions',
      /No variant has the discriminator/,
    ],
  ])('%s', (_what, more: Partial<StudyDesignInput>, path, message) => {
    const problems = problemsOf(makeDesign(more));
    expect(problems.map((p) => p.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });

  test('not smoothing where the student alone or one level learns from hard labels', () => {
    expect(problemsOf(makeDesign({ labelSmoothing: 0.1, baseline: true }))).toEqual([]);
    const factors = { ...plainFactors, hardLabelWeight: [0, 0.5] };
    expect(problemsOf(makeDesign({ labelSmoothing: 0.1, factors }))).toEqual([]);
  });
});

test('a stored design of before parses to itself', () => {
  const stored = JSON.parse(JSON.stringify(makeDesign()));
  expect(Object.keys(stored.factors)).toEqual(['teachers', 'discriminator', 'inputSize']);
  expect(StudyDesign.parse(stored)).toEqual(stored);
});
