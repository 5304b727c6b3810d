import type { RunStatus } from '@mealtable/protocol/statuses';
import { describe, expect, test } from 'vitest';
import {
  buildTop1Table,
  chooseReference,
  meanOf,
  medianOf,
  sampleStdOf,
  type TableVariant,
} from '../../server/studies/top1-table.ts';

function variant(id: string, results: Record<number, number | null>, more: Partial<TableVariant> = {}): TableVariant {
  return {
    id,
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
    })),
    ...more,
  };
}
const withStatus = (v: TableVariant, seed: number, status: RunStatus): TableVariant => ({
  ...v,
  values: v.values.map((value) => (value.seed === seed ? { ...value, status } : value)),
});

describe('statistics', () => {
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

describe('the rows', () => {
  test('n, mean, spread, median epoch, and the difference paired by the seeds both have', () => {
    const reference = variant('ref', { 1: 80, 2: 82, 3: 90 });
    const other = variant('x', { 2: 85, 3: 91, 4: 99 });
    const [first, second] = buildTop1Table([reference, other], 'ref');
    expect(first).toMatchObject({ isReference: true, n: 3, mean: 84, bestEpoch: 2, difference: 0, pairedSeeds: 3 });
    expect(second).toMatchObject({ isReference: false, n: 3, pairedSeeds: 2, difference: 2 });
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
    expect(rows[1]).toMatchObject({ difference: null, pairedSeeds: 0, mean: 90 });
    expect(rows[2]).toMatchObject({ n: 0, mean: null, std: null, bestEpoch: null, difference: null });
  });

  test('a teacher has no difference: that its seed equals one of the study’s pairs nothing', () => {
    const teacher = variant('t', { 1: 95 }, { role: 'teacher' });
    const [row] = buildTop1Table([teacher, variant('ref', { 1: 80 })], 'ref');
    expect(row).toMatchObject({ mean: 95, difference: null, pairedSeeds: 0 });
  });

  test('without a reference nothing is compared', () => {
    expect(buildTop1Table([variant('x', { 1: 80 })], null)[0]).toMatchObject({ isReference: false, difference: null });
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
