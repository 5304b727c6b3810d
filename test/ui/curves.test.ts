/** What is drawn: smoothing, means over runs and their bands, places on the axes, sections. */
import { describe, expect, it } from 'vitest';
import { placesOf, stepsBetween } from '../../components/chart/axes.ts';
import { nearestPlace } from '../../components/chart/chart-line.ts';
import { groupMetrics } from '../../components/chart/group-metrics.ts';
import { type Curve, meanCurve } from '../../components/chart/mean-curve.ts';
import { smooth } from '../../components/chart/smooth.ts';
import { formatSecondsTick, formatTick } from '../../components/chart/ticks.ts';
import { yRange } from '../../components/chart/y-range.ts';

const STEPS = [0, 1, 2];

describe('smoothing', () => {
  it('leaves values as they are at 0', () => {
    expect(smooth(STEPS, [1, null, 3], 0, 2)).toEqual([1, null, 3]);
  });

  it('has no bias towards zero at the start', () => {
    for (const value of smooth(STEPS, [5, 5, 5], 0.9, 2)) expect(value).toBeCloseTo(5, 12);
  });

  it('forgets by the share of the axis that was passed', () => {
    // Amount 0.81: a = 0.9. A step of 1 of a width of 1,000 is one part: d = 0.9. (2·0.9 + 4) / (0.9 + 1) = 5.8 / 1.9.
    expect(smooth([0, 1], [2, 4], 0.81, 1_000)[1]).toBeCloseTo(5.8 / 1.9, 12);
    // Two parts: d = 0.81.
    expect(smooth([0, 2], [2, 4], 0.81, 1_000)[1]).toBeCloseTo((2 * 0.81 + 4) / 1.81, 12);
  });

  it('lets a bucket count as its points do', () => {
    const [, , third] = smooth([0, 1, 1], [2, 4, 4], 0.81, 1_000);
    expect(smooth([0, 1], [2, 4], 0.81, 1_000, [1, 2])[1]).toBeCloseTo(third as number, 12);
  });

  it('steps over gaps and keeps what is no number as it is, for its mark', () => {
    expect(smooth([0, 1, 2, 3], [2, null, Number.NaN, 2], 0.5, 1_000)).toEqual([2, null, Number.NaN, 2]);
  });
});

describe('mean over runs', () => {
  const pair: Curve[] = [
    { x: [1, 2], y: [10, 20] },
    { x: [1, 2], y: [14, 26] },
  ];

  it.each([
    // Values 10 and 14: squares around 12 are 4 + 4, over n - 1 = 1, so std = √8.
    ['std', Math.sqrt(8)],
    ['stderr', 2],
    // Student's t for 95 % with one degree of freedom is 12.7062.
    ['ci95', 2 * 12.706204736],
    ['minmax', 2],
    ['none', 0],
  ] as const)('has the band %s around it', (band, half) => {
    const curve = meanCurve(pair, band);
    expect(curve.mean).toEqual([12, 23]);
    expect((curve.high[0] as number) - 12).toBeCloseTo(half, 7);
    expect(12 - (curve.low[0] as number)).toBeCloseTo(half, 7);
  });

  it('keeps its digits where values are far from 0', () => {
    const curve = meanCurve(
      [1e9, 1e9 + 1, 1e9 + 2].map((y) => ({ x: [0], y: [y] })),
      'std',
    );
    expect(curve.high[0]).toBeCloseTo(1e9 + 2, 6);
  });

  it('goes on where runs have ended, and says of how many it is', () => {
    const curve = meanCurve(
      [
        { x: [1, 2, 3], y: [1, 1, 1] },
        { x: [1, 2], y: [3, 3] },
        { x: [], y: [] },
      ],
      'std',
    );
    expect(curve).toMatchObject({ x: [1, 2, 3], mean: [2, 2, 1], n: [2, 2, 1], most: 2 });
    expect(curve.low[2]).toBe(1);
  });

  it('reads a run between its points along the straight line, and not across a value that is not finite', () => {
    const curve = meanCurve(
      [
        { x: [0, 4], y: [0, 8] },
        { x: [0, 1, 2, 3, 4], y: [2, 2, Number.NaN, 2, 2] },
      ],
      'none',
    );
    expect(curve.x).toEqual([0, 1, 2, 3, 4]);
    expect(curve.mean).toEqual([1, 2, 4, 4, 5]);
    expect(curve.n).toEqual([2, 2, 1, 2, 2]);
  });

  it('is thinned where its places would be more than a screen has', () => {
    const x = Array.from({ length: 5_000 }, (_, i) => i);
    const curve = meanCurve([{ x, y: x }], 'none');
    expect(curve.x.length).toBeLessThanOrEqual(1_500);
    expect([curve.x[0], curve.x.at(-1), curve.mean.at(-1)]).toEqual([0, 4_999, 4_999]);
  });
});

describe('places on the axis', () => {
  const series = { step: [1, 2, 3], epoch: [0.1, 0.2, 0.3], at: [5_000, 9_000, 7_000] };

  it('are steps, epochs, or seconds since the start', () => {
    expect(placesOf(series, 'step')).toEqual([1, 2, 3]);
    expect(placesOf(series, 'epoch')).toEqual([0.1, 0.2, 0.3]);
    expect(placesOf(series, 'elapsed', 4_000)).toEqual([1, 5, 5]);
  });

  it('never go back when another host’s clock does', () => {
    expect(placesOf(series, 'elapsed')).toEqual([0, 4, 4]);
    expect(placesOf(series, 'clock')).toEqual([5, 9, 9]);
  });

  it('give the steps of a part, with one on either side', () => {
    const columns = { step: [10, 20, 30, 40] } as Parameters<typeof stepsBetween>[0];
    expect(stepsBetween(columns, [1, 2, 3, 4], 1.5, 2.5)).toEqual({ from: 10, to: 30 });
    expect(stepsBetween(columns, [1, 2, 3, 4], 5, 6)).toBeNull();
  });

  it('are read at the nearest one with a value', () => {
    expect(nearestPlace({ x: [1, 2, 3, 9], y: [1, null, null, 4] }, 3)).toBe(0);
    expect(nearestPlace({ x: [1, 2, 3], y: [null, null, 3] }, 1)).toBe(2);
    expect(nearestPlace({ x: [], y: [] }, 0)).toBeNull();
  });
});

describe('the y-axis', () => {
  const line = { id: 'a', color: 0, x: Array.from({ length: 101 }, (_, i) => i) };
  const limits = { isLog: false, ignoresOutliers: false };

  it('holds every finite value of the part that is shown, and the extremes of its buckets', () => {
    const y = line.x.map((x) => (x === 50 ? 1_000 : x === 51 ? Number.POSITIVE_INFINITY : x));
    expect(yRange([{ ...line, y }], 0, 100, limits).max).toBeGreaterThan(1_000);
    expect(yRange([{ ...line, y }], 0, 40, limits).max).toBeLessThan(50);
    const extent = { min: y, max: line.x.map(() => 7_000), first: y, last: y };
    expect(yRange([{ ...line, y: line.x, extent }], 0, 100, limits).max).toBeGreaterThan(7_000);
  });

  it('ignores the outer 5 % on request', () => {
    const y = line.x.map((x) => (x === 50 ? 1e9 : x === 3 ? -1e9 : x));
    const { min, max } = yRange([{ ...line, y }], 0, 100, { isLog: false, ignoresOutliers: true });
    expect([min > -10, max < 110]).toEqual([true, true]);
  });

  it('has on a log scale only what is above 0', () => {
    const { min, max } = yRange([{ ...line, y: line.x.map((x) => x - 50) }], 0, 100, {
      isLog: true,
      ignoresOutliers: false,
    });
    expect(min).toBeGreaterThan(0.5);
    expect(max).toBeGreaterThan(50);
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
    expect(groups.map(({ isKnown }) => isKnown)).toEqual([true, true, true, false]);
  });

  it('leave out what the search does not match', () => {
    expect(groupMetrics(['train/loss', 'val/top1'], ' TOP ').map(({ metrics }) => metrics)).toEqual([['val/top1']]);
  });
});
