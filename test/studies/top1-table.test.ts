import type { RunStatus } from '@mealtable/protocol/statuses';
import { buildEffects, buildTop1Table } from '@mealtable/protocol/top1-table';
import { describe, expect, test } from 'vitest';
import { chooseReference, type KeyedVariant } from '../../server/studies/table-variants.ts';

function variant(id: string, results: Record<number, number | null>, more: Partial<KeyedVariant> = {}): KeyedVariant {
  return {
    variantId: id,
    key: id,
    role: 'student',
    label: id,
    levels: null,
    network: 'resnet18_w8',
    inputSize: 24,
    values: Object.entries(results).map(([seed, top1], i) => ({
      runId: `${id}-${seed}`,
      seed: Number(seed),
      status: 'succeeded' as RunStatus,
      top1,
      epoch: top1 === null ? null : i + 1,
      last: top1,
      testBest: null,
      testLatest: null,
    })),
    ...more,
  };
}
const withStatus = (v: KeyedVariant, seed: number, status: RunStatus): KeyedVariant => ({
  ...v,
  values: v.values.map((value) => (value.seed === seed ? { ...value, status } : value)),
});

describe('the rows', () => {
  test('n, mean, spread, median epoch, and the difference paired by the seeds both have', () => {
    const reference = variant('ref', { 1: 80, 2: 82, 3: 90 });
    const other = variant('x', { 2: 85, 3: 91, 4: 99 });
    const [first, second] = buildTop1Table([reference, other], 'ref');
    expect(first).toMatchObject({ isReference: true, n: 3, mean: 84, bestEpoch: 2, difference: null });
    expect(second).toMatchObject({ isReference: false, n: 3, difference: { n: 2, mean: 2, leftOut: 2 } });
    expect(second?.mean).toBeCloseTo(91.6667, 3);
  });

  test('only runs that succeeded count; the others are shown as what they are', () => {
    const half = withStatus(variant('x', { 1: 80, 2: 99 }), 2, 'running');
    const [row] = buildTop1Table([half], 'x');
    expect(row).toMatchObject({ n: 1, mean: 80, std: null });
    expect(row?.values.map((v) => [v.seed, v.status, v.top1])).toEqual([
      [1, 'succeeded', 80],
      [2, 'running', 99],
    ]);
  });

  test('without a common seed there is no difference, without a result no mean', () => {
    const rows = buildTop1Table([variant('ref', { 1: 80 }), variant('x', { 2: 90 }), variant('y', { 1: null })], 'ref');
    expect(rows[1]).toMatchObject({ difference: { mean: null, n: 0, leftOut: 2 }, mean: 90 });
    expect(rows[2]).toMatchObject({ n: 0, mean: null, std: null, bestEpoch: null, difference: { mean: null, n: 0 } });
  });

  test('a teacher has no difference: that its seed equals one of the study’s pairs nothing', () => {
    const teacher = variant('t', { 1: 95 }, { role: 'teacher' });
    const [row] = buildTop1Table([teacher, variant('ref', { 1: 80 })], 'ref');
    expect(row).toMatchObject({ mean: 95, difference: null });
  });

  test('without a reference nothing is compared', () => {
    expect(buildTop1Table([variant('x', { 1: 80 })], null)[0]).toMatchObject({ isReference: false, difference: null });
  });
});

describe('the best', () => {
  const marks = (variants: KeyedVariant[]) =>
    buildTop1Table(variants, null).map((row) => [row.label, row.isBest, row.isWithinNoiseOfBest]);

  test('is the student variant with the highest mean, never a teacher or the student alone; of equals the first', () => {
    const alone = variant('alone', { 1: 99 }, { role: 'baseline' });
    const teacher = variant('teacher', { 1: 99 }, { role: 'teacher' });
    expect(marks([teacher, alone, variant('x', { 1: 80 }), variant('y', { 1: 90 }), variant('z', { 1: 90 })])).toEqual([
      ['teacher', false, false],
      ['alone', false, false],
      ['x', false, false],
      ['y', true, false],
      ['z', false, false],
    ]);
    expect(marks([teacher, variant('x', { 1: null })]).map(([, isBest]) => isBest)).toEqual([false, false]);
  });

  test('has others within its noise, where the interval of the paired difference holds 0', () => {
    const best = variant('best', { 1: 90, 2: 91, 3: 92 });
    const near = variant('near', { 1: 90.5, 2: 90.4, 3: 91.9 });
    const far = variant('far', { 1: 80, 2: 81.1, 3: 81.9 });
    const alone = variant('alone', { 1: 90.5, 2: 90.4, 3: 91.9 }, { role: 'baseline' });
    expect(marks([far, near, best, alone]).map(([label, , isWithinNoise]) => [label, isWithinNoise])).toEqual([
      ['far', false],
      ['near', true],
      ['best', false],
      ['alone', false],
    ]);
  });

  test('says nothing of noise with one seed', () => {
    expect(marks([variant('best', { 1: 90 }), variant('near', { 1: 90 })])[1]).toEqual(['near', false, false]);
  });
});

describe('effects', () => {
  const levels = { teachers: [{ kind: 'planned' as const, key: 'a' }], inputSize: 24 };
  const on = variant('a · discriminator on · 24 px', { 1: 80, 2: 82 }, { levels: { ...levels, discriminator: true } });
  const off = variant(
    'a · discriminator off · 24 px',
    { 1: 79, 2: 80 },
    { levels: { ...levels, discriminator: false } },
  );
  const alone = variant('alone', { 1: 70 }, { role: 'baseline' });

  test('are those of the students, against the levels of the reference when it is one of them', () => {
    expect(buildEffects([alone, on, off], alone.variantId).factors).toMatchObject([
      { factor: 'discriminator', reference: 'on', levels: [{ level: 'off', difference: { mean: -1.5, n: 2 } }] },
    ]);
    expect(buildEffects([alone, on, off], off.variantId).factors).toMatchObject([
      { factor: 'discriminator', reference: 'off', levels: [{ level: 'on', difference: { mean: 1.5, n: 2 } }] },
    ]);
  });

  test('count runs that succeeded; the others are pairs left out', () => {
    const failed = withStatus(off, 2, 'failed');
    expect(buildEffects([on, failed], null).factors[0]?.levels[0]?.difference).toMatchObject({ n: 1, leftOut: 1 });
  });
});

describe('the reference', () => {
  const teacher = variant('planned:t', {}, { role: 'teacher' });
  const start = variant('planned:s', {}, { role: 'baseline' });
  const alone = variant('baseline|s24', {}, { role: 'baseline' });
  const student = variant('student', {});

  test('is the chosen one, else the student trained alone, else the first student', () => {
    expect(chooseReference([teacher, start, alone, student], 'student')).toBe('student');
    expect(chooseReference([teacher, start, alone, student], null)).toBe('baseline|s24');
    expect(chooseReference([teacher, start, student], null)).toBe('student');
    expect(chooseReference([teacher, alone], 'gone')).toBe('baseline|s24');
    expect(chooseReference([teacher], null)).toBeNull();
  });
});
