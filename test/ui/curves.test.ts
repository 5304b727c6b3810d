/** What is drawn: smoothing, means over seeds, places on the axes. */
import { describe, expect, it } from 'vitest';
import { alignLines, nearestWithValue } from '../../components/chart/align-lines.ts';
import { drawable, placesOf } from '../../components/chart/axes.ts';
import { meanCurve } from '../../components/chart/mean-curve.ts';
import { smooth } from '../../components/chart/smooth.ts';
import { formatSecondsTick, formatTick } from '../../components/chart/ticks.ts';
import { groupMetrics } from '../../components/run/group-metrics.ts';

describe('smoothing', () => {
  it('leaves values as they are at weight 0', () => {
    expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
  });

  it('has no bias towards zero at the start', () => {
    const smoothed = smooth([5, 5, 5], 0.9);
    for (const value of smoothed) expect(value).toBeCloseTo(5, 12);
  });

  it('is the bias-corrected average: (0.5·1 + 0.5·0.5·... ) of [1, 3] at weight 0.5 is (0.25·1 + 0.5·3) / 0.75', () => {
    expect(smooth([1, 3], 0.5)[1]).toBeCloseTo((0.25 * 1 + 0.5 * 3) / 0.75, 12);
  });

  it('steps over gaps and values that are no numbers', () => {
    expect(smooth([2, null, Number.NaN, 2], 0.5)).toEqual([2, null, null, 2]);
  });
});

describe('mean over seeds', () => {
  it('has the sample standard deviation around it', () => {
    const curve = meanCurve([
      { x: [1, 2], y: [10, 20] },
      { x: [1, 2], y: [14, 26] },
    ]);
    expect(curve.mean).toEqual([12, 23]);
    // Two values 10 and 14: squares around 12 are 4 + 4, over n - 1 = 1.
    expect(curve.high[0]).toBeCloseTo(12 + Math.sqrt(8), 12);
    expect(curve.low[1]).toBeCloseTo(23 - Math.sqrt(18), 12);
  });

  it('ends where the shortest of the running seeds ends', () => {
    const curve = meanCurve([
      { x: [1, 2, 3], y: [1, 1, 1] },
      { x: [1, 2], y: [3, 3] },
      { x: [], y: [] },
    ]);
    expect(curve.x).toEqual([1, 2]);
    expect(curve.n).toBe(2);
  });

  it('of one curve is the curve, without a spread', () => {
    const curve = meanCurve([{ x: [1, 2], y: [5, Number.NaN] }]);
    expect(curve).toMatchObject({ x: [1], mean: [5], low: [5], high: [5] });
  });
});

describe('places on the axis', () => {
  const series = {
    step: [1, 2, 3],
    epoch: [0.1, 0.2, 0.3],
    at: [5_000, 9_000, 7_000],
    attempt: [1, 1, 2],
    value: [1, 2, 3],
  };

  it('are steps, epochs, or seconds since the first point', () => {
    expect(placesOf(series, 'step')).toEqual([1, 2, 3]);
    expect(placesOf(series, 'epoch')).toEqual([0.1, 0.2, 0.3]);
  });

  it('never go back when another host’s clock does', () => {
    expect(placesOf(series, 'elapsed')).toEqual([0, 4, 4]);
    expect(placesOf(series, 'clock')).toEqual([5, 9, 9]);
  });

  it('have gaps where a value cannot be drawn', () => {
    expect(drawable([1, Number.NaN, Number.POSITIVE_INFINITY, null], false)).toEqual([1, null, null, null]);
    expect(drawable([1, 0, -1], true)).toEqual([1, null, null]);
  });
});

describe('lines of different runs', () => {
  it('share one x, with nothing where a line has no point', () => {
    const lines = [
      { id: 'a', x: [1, 3], y: [10, 30], color: 0 },
      { id: 'b', x: [2, 3], y: [200, 300], color: 1 },
    ];
    const [x, a, b] = alignLines(lines);
    expect([...(x ?? [])]).toEqual([1, 2, 3]);
    expect([...(a ?? [])]).toEqual([10, undefined, 30]);
    expect([...(b ?? [])]).toEqual([undefined, 200, 300]);
  });

  it('are read at their nearest own point', () => {
    expect(nearestWithValue([1, undefined, undefined, 4], 1)).toBe(0);
    expect(nearestWithValue([null, undefined, 3], 0)).toBe(2);
    expect(nearestWithValue([], 0)).toBeNull();
  });
});

describe('axis labels', () => {
  it.each([
    [0, '0'],
    [0.05, '0.05'],
    [1500, '1500'],
    [25_000, '25k'],
    [0.00001, '1e−5'],
    [2_500_000, '2.5M'],
  ])('%f is "%s"', (value, label) => {
    expect(formatTick(value)).toBe(label);
  });

  it.each([
    [45, '45s'],
    [90, '1.5m'],
    [3600, '1h'],
    [5400, '1h30'],
  ])('%i seconds are "%s"', (value, label) => {
    expect(formatSecondsTick(value)).toBe(label);
  });
});

describe('sections of charts', () => {
  it('come from the metrics’ names: validation first, top-1 first in it, the unknown last', () => {
    const groups = groupMetrics(['data/images_per_second', 'train/loss', 'val/loss', 'val/top1', 'gpu/memory']);
    expect(groups.map(({ title }) => title)).toEqual(['Validation', 'Training', 'Data', 'gpu']);
    expect(groups[0]?.metrics).toEqual(['val/top1', 'val/loss']);
  });

  it('leave out what the filter does not match', () => {
    expect(groupMetrics(['train/loss', 'val/top1'], ' TOP ').map(({ metrics }) => metrics)).toEqual([['val/top1']]);
  });
});
