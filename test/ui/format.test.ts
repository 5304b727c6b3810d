/** Numbers, times and addresses as the pages show and follow them. */
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDifference,
  formatDuration,
  formatMetric,
  formatPercent,
  formatRelative,
  plural,
} from '../../components/format.ts';
import { safeNextPath } from '../../components/go-to-sign-in.ts';
import { estimateRemaining } from '../../components/run/eta.ts';

describe('numbers', () => {
  it('of accuracies have two decimals, none a dash', () => {
    expect([formatPercent(95), formatPercent(93.456), formatPercent(null)]).toEqual(['95.00', '93.46', '–']);
  });

  it('of differences have a sign, but not when they round to nothing', () => {
    expect([0.424, -1.3, -0.001, null].map((value) => formatDifference(value))).toEqual([
      '+0.42',
      '−1.30',
      '0.00',
      '–',
    ]);
  });

  it('of metrics keep what matters at every scale', () => {
    expect([0.23451, 12.3456, 405.04, 0.00001234, 1_500_000.5, 176234, Number.NaN].map(formatMetric)).toEqual([
      '0.2345',
      '12.35',
      '405.0',
      '1.23e−5',
      '1.50e6',
      '176,234',
      'NaN',
    ]);
  });

  it('of sizes and counts', () => {
    expect([512, 711_232, 20 * 2 ** 30].map(formatBytes)).toEqual(['512 B', '694.6 KiB', '20.0 GiB']);
    expect([plural(1, 'run'), plural(1200, 'run'), plural(2, 'class', 'classes')]).toEqual([
      '1 run',
      '1,200 runs',
      '2 classes',
    ]);
  });
});

describe('times', () => {
  it('of durations', () => {
    expect([4_000, 750_000, 11_100_000, 187_200_000].map(formatDuration)).toEqual([
      '4 s',
      '12 min 30 s',
      '3 h 05 min',
      '2 d 4 h',
    ]);
  });

  it('go from seconds to days as they get older', () => {
    const now = 1_700_000_000_000;
    const ago = (seconds: number) => formatRelative(now - seconds * 1000, now);
    expect(ago(2)).toBe('just now');
    expect(ago(30)).toContain('30');
    expect(ago(3 * 86400)).toContain('3');
  });

  it('left of a run come from the pace of its present attempt, not from the steps it resumed with', () => {
    const attempt = { startedAt: 0, endedAt: null, startStep: 100 };
    const run = { status: 'running' as const, stepsCompleted: 150, totalSteps: 200, attempts: [attempt] as never };
    // 50 steps in 10 s; 50 to go.
    expect(estimateRemaining(run, 10_000)).toBe(10_000);
    expect(estimateRemaining({ ...run, stepsCompleted: 100 }, 10_000)).toBeNull();
    expect(estimateRemaining({ ...run, status: 'queued' }, 10_000)).toBeNull();
  });
});

describe('the way back after signing in', () => {
  it.each([
    ['/runs/run_1?tab=log', '/runs/run_1?tab=log'],
    [null, '/'],
    ['https://elsewhere.example', '/'],
    ['//elsewhere.example', '/'],
    ['/\\elsewhere.example', '/'],
    ['/\t/elsewhere.example', '/'],
    ['/\n//elsewhere.example', '/'],
    ['/sign-in?next=/', '/'],
  ])('%j leads to %s', (next, path) => {
    expect(safeNextPath(next)).toBe(path);
  });
});
