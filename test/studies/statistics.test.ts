/** Student's t, paired differences, effects and interactions against what SciPy and statsmodels compute of the same numbers. */

import { studyEffects } from '@mealtable/protocol/statistics/factor-effects';
import { meanOf, medianOf, sampleStdOf } from '@mealtable/protocol/statistics/moments';
import { differencesBySeed, pairedDifference } from '@mealtable/protocol/statistics/paired-difference';
import { criticalT, twoSidedP } from '@mealtable/protocol/statistics/student-t';
import type { StudentVariant } from '@mealtable/protocol/statistics/variant-index';
import type { Levels } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';
import reference from './statistics-reference.json' with { type: 'json' };

const closeTo = (expected: number) => ({
  asymmetricMatch: (actual: unknown) =>
    typeof actual === 'number' && Math.abs(actual - expected) <= 1e-10 * Math.max(1e-3, Math.abs(expected)),
  toString: () => `within 1e-10 of ${expected}`,
});

describe('Student’s t', () => {
  test.each(reference.studentT)('with $df degrees of freedom is SciPy’s', ({ df, critical, p: cases }) => {
    expect(criticalT(0.95, df) / critical).toBeCloseTo(1, 10);
    for (const { t, p } of cases) {
      // Relative, far out in the tails too.
      if (p > 0) expect(twoSidedP(t, df) / p, `t = ${t}`).toBeCloseTo(1, 9);
      expect(twoSidedP(-t, df)).toBe(twoSidedP(t, df));
    }
  });

  test('has no tail beyond infinity and all of itself beyond 0', () => {
    expect([twoSidedP(0, 3), twoSidedP(Number.POSITIVE_INFINITY, 3), twoSidedP(1e200, 3)]).toEqual([1, 0, 0]);
  });
});

describe('mean, spread and middle', () => {
  test('the standard deviation is the sample one', () => {
    // Checked with Python: statistics.stdev([90.1, 91.3, 89.7]) = 0.8326663997864532
    expect(sampleStdOf([90.1, 91.3, 89.7])).toBeCloseTo(0.8326663997864532, 12);
    expect(sampleStdOf([5, 5])).toBe(0);
    expect([sampleStdOf([]), sampleStdOf([90])]).toEqual([null, null]);
  });

  test('a large common offset does not spoil it', () => {
    expect(sampleStdOf([1e9 + 1, 1e9 + 2, 1e9 + 3])).toBeCloseTo(1, 9);
  });

  test('mean and median of nothing are nothing; the median of an even number is the middle', () => {
    expect([meanOf([]), medianOf([])]).toEqual([null, null]);
    expect([medianOf([9]), medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([9, 2, 2.5]);
  });
});

const expectedOf = ({ mean, std, n, interval, p }: (typeof reference.samples)[number]) => ({
  mean: closeTo(mean),
  std: closeTo(std),
  n,
  interval: { low: closeTo(interval.low), high: closeTo(interval.high) },
  p: closeTo(p),
});

describe('paired differences', () => {
  test.each(reference.samples)('$n of them have SciPy’s interval and p', (sample) => {
    expect(pairedDifference(sample.differences, 0)).toEqual({ ...expectedOf(sample), leftOut: 0 });
  });

  test('one alone has neither spread nor interval, none has no mean', () => {
    const nothing = { std: null, interval: null, p: null };
    expect(pairedDifference([1.5], 2)).toEqual({ ...nothing, mean: 1.5, n: 1, leftOut: 2 });
    expect(pairedDifference([], 3)).toEqual({ ...nothing, mean: null, n: 0, leftOut: 3 });
  });

  test('differences that are alike claim no certainty, nor do rounding errors of percents', () => {
    const alike = [87.32394366197182 - 83.38028169014085, 87.88732394366197 - 83.943661971831];
    expect(alike[0]).not.toBe(alike[1]);
    expect(pairedDifference(alike, 0)).toMatchObject({ std: 0, n: 2, interval: null, p: null });
  });

  test('pair by seed; a seed that any side lacks is left out and counted', () => {
    const results = (values: Record<number, number>, more: number[] = []) => ({
      top1: new Map(Object.entries(values).map(([seed, top1]) => [Number(seed), top1])),
      seeds: new Set([...Object.keys(values).map(Number), ...more]),
    });
    const cells = [
      { sign: 1 as const, results: results({ 1: 90, 2: 80 }, [3]) },
      { sign: -1 as const, results: results({ 2: 79, 1: 88, 4: 70 }) },
    ];
    expect(differencesBySeed(cells)).toEqual({ differences: [2, 1], leftOut: 2 });
  });
});

/** Every run of the reference's study as the table's variants. */
function referenceVariants(): StudentVariant[] {
  const variants = new Map<string, { levels: Levels; top1: Map<number, number>; seeds: Set<number> }>();
  for (const { teachers, discriminator, inputSize, seed, top1 } of reference.study.runs) {
    const label = `${teachers} · discriminator ${discriminator === 'true' ? 'on' : 'off'} · ${inputSize} px`;
    const known = variants.get(label) ?? {
      levels: {
        teachers: teachers.split('+').map((key) => ({ kind: 'planned' as const, key })),
        discriminator: discriminator === 'true',
        inputSize,
      },
      top1: new Map(),
      seeds: new Set(),
    };
    variants.set(label, known);
    known.seeds.add(seed);
    if (top1 !== null) known.top1.set(seed, top1);
  }
  return [...variants].map(([label, { levels, top1, seeds }]) => ({ label, levels, results: { top1, seeds } }));
}
const KEYS: Record<string, string> = { off: 'false', on: 'true', '24 px': '24', '32 px': '32' };
const keyOf = (words: string) => KEYS[words] ?? words;

describe('a full-factorial study with holes', () => {
  const effects = studyEffects(referenceVariants(), null);

  test('each level’s effect is SciPy’s paired test over all other levels and seeds', () => {
    const found = effects.factors.flatMap(({ factor, levels }) =>
      levels.map(({ level, difference }) => ({ factor, level: keyOf(level), ...difference })),
    );
    expect(found).toEqual(
      reference.study.effects.map((effect) => ({
        ...expectedOf(effect as never),
        factor: effect.factor,
        level: effect.level,
        leftOut: effect.leftOut,
      })),
    );
    expect(effects.factors.map(({ reference: words }) => words)).toEqual(['a', 'off', '24 px']);
  });

  test('each interaction is the paired test of the differences of differences', () => {
    const found = effects.interactions.map(({ factors, difference }) => ({
      factors: factors.map(({ factor }) => factor),
      levels: factors.map(({ level }) => keyOf(level)),
      ...difference,
    }));
    expect(found).toEqual(
      reference.study.interactions.map((interaction) => ({
        ...expectedOf(interaction as never),
        factors: interaction.factors,
        levels: interaction.levels,
        leftOut: interaction.leftOut,
      })),
    );
  });

  test('another reference variant turns signs and changes which level is compared with', () => {
    const variants = referenceVariants();
    const last = studyEffects(variants, variants.at(-1)!);
    expect(last.factors.map(({ reference: words }) => words)).toEqual(['a+b', 'on', '32 px']);
    const size = (of: typeof effects) => of.factors[2]!.levels[0]!.difference;
    expect(size(last).mean).toBeCloseTo(-size(effects).mean!, 12);
    expect(size(last).p).toBe(size(effects).p);
  });
});

/** Variants around one teacher; `top1` by seed. */
const variant = (more: Partial<Levels>, top1: Record<number, number>): StudentVariant => {
  const levels: Levels = { teachers: [{ kind: 'planned', key: 'a' }], discriminator: true, inputSize: 24, ...more };
  const seeds = Object.keys(top1).map(Number);
  return {
    label: `a${JSON.stringify(more)}`,
    levels,
    results: { top1: new Map(seeds.map((seed) => [seed, top1[seed]!])), seeds: new Set(seeds) },
  };
};

describe('other designs', () => {
  test('one at a time pairs around its first levels and has no interactions', () => {
    const { factors, interactions } = studyEffects(
      [
        variant({}, { 1: 80, 2: 82 }),
        variant({ discriminator: false }, { 1: 81, 2: 85 }),
        variant({ temperature: 4 }, { 1: 79, 2: 80 }),
        variant({ temperature: 2 }, { 1: 80, 2: 83 }),
      ],
      null,
    );
    expect(factors.map(({ factor, levels }) => [factor, levels.map(({ difference }) => difference.mean)])).toEqual([
      ['discriminator', [2]],
      ['temperature', [-1.5, 0.5]],
    ]);
    expect(factors[1]).toMatchObject({
      reference: 'temperature 1',
      levels: [{ level: 'temperature 4' }, { level: 'temperature 2' }],
    });
    expect(interactions).toEqual([]);
  });

  test('a list pairs where two variants differ in one factor alone, and says where none do', () => {
    const { factors } = studyEffects(
      [
        variant({}, { 1: 80 }),
        variant({ discriminator: false }, { 1: 81 }),
        variant({ inputSize: 32, temperature: 2 }, { 1: 90 }),
      ],
      null,
    );
    expect(factors.map(({ factor, levels: [first] }) => [factor, first!.variantPairs, first!.difference.n])).toEqual([
      ['discriminator', 1, 1],
      ['inputSize', 0, 0],
      ['temperature', 0, 0],
    ]);
  });

  test('a level said in full and one left out are the same level', () => {
    expect(
      studyEffects([variant({}, { 1: 80 }), variant({ temperature: 1, inputSize: 32 }, { 1: 81 })], null).factors,
    ).toMatchObject([{ factor: 'inputSize', levels: [{ difference: { mean: 1, n: 1 } }] }]);
  });

  test('without students there is nothing', () => {
    expect(studyEffects([], null)).toEqual({ factors: [], interactions: [] });
  });

  test('500 runs are reckoned', () => {
    const sizes = [24, 28, 32, 36, 40];
    const temperatures = [1, 2, 3, 4, 5];
    const weights = [0, 0.2, 0.4, 0.6, 0.8];
    const variants = sizes.flatMap((inputSize) =>
      temperatures.flatMap((temperature) =>
        weights.flatMap((hardLabelWeight) =>
          [true, false].map((discriminator, i) =>
            variant({ inputSize, temperature, hardLabelWeight, discriminator }, { 1: 80 + i, 2: 81 + temperature * i }),
          ),
        ),
      ),
    );
    const { factors, interactions } = studyEffects(variants, null);
    expect([variants.length, factors.length, interactions.length]).toEqual([250, 4, 3 * 4 + 3 * 16]);
  });
});
