/** What pages make of telemetry: bars of a timeline, small lines, and a sample that has just come. */
import type { HostSample } from '@mealtable/protocol/telemetry';
import type { HostAttemptView, HostTelemetryView } from '@mealtable/protocol/telemetry-views';
import { describe, expect, test } from 'vitest';
import { appendSample } from '../../components/host/telemetry/append-sample.ts';
import { sparklinePaths } from '../../components/host/telemetry/sparkline-paths.ts';
import { formatQuantity } from '../../components/host/telemetry/units.ts';
import { describeBar, lookOf } from '../../components/host/timeline/attempt-words.ts';
import { layOutLanes, placeBars } from '../../components/host/timeline/lanes.ts';
import { timeTicks } from '../../components/host/timeline/time-ticks.ts';

const attempt = (claimedAt: number, endedAt: number | null, more: Partial<HostAttemptView> = {}): HostAttemptView => ({
  runId: `run_${claimedAt}`,
  attempt: 1,
  slot: 0,
  claimedAt,
  startedAt: claimedAt,
  endedAt,
  outcome: endedAt === null ? null : 'succeeded',
  failureCode: null,
  role: 'student',
  seed: 1,
  variantLabel: 'resnet50',
  studyName: 's',
  ...more,
});

describe('a timeline', () => {
  test('has a lane for every slot, busy or not, also for one that the host does not have any more', () => {
    const lanes = layOutLanes([attempt(0, 5), attempt(9, null, { slot: 3 })], 2);
    expect(lanes.map(({ slot, attempts }) => [slot, attempts.length])).toEqual([
      [0, 1],
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
  });

  test('puts attempts whose slot nobody knows where nothing overlaps', () => {
    const unknown = [attempt(0, 10), attempt(5, null), attempt(10, 20), attempt(15, 30)].map((each) => ({
      ...each,
      slot: null,
    }));
    const lanes = layOutLanes(unknown, 1).slice(1);
    expect(lanes.map(({ attempts }) => attempts.map(({ claimedAt }) => claimedAt))).toEqual([[0, 10], [5], [15]]);
  });

  test('shows what is within the window, cut at its edges; what lasts goes to the right edge', () => {
    const bars = placeBars([attempt(0, 50), attempt(60, 120), attempt(150, null), attempt(300, 400)], 100, 200, 1000);
    expect(bars.map(({ left, width }) => [left, width])).toEqual([
      [0, 200],
      [500, 500],
    ]);
  });

  test('joins what is too narrow to be told apart, and never a long bar with its short neighbour', () => {
    const crash = attempt(0, 1, { outcome: 'failed' });
    const bars = placeBars([crash, attempt(2, 3, { outcome: 'failed' }), attempt(4, 900)], 0, 1000, 500);
    expect(bars.map(({ attempts }) => attempts.length)).toEqual([2, 1]);
    expect(bars[1]!.left).toBe(bars[0]!.left + bars[0]!.width);
    expect([lookOf(bars[0]!), lookOf({ ...bars[0]!, attempts: [crash, attempt(2, 3)] })]).toEqual([
      'failed',
      'several',
    ]);
    expect(describeBar(bars[0]!, 1000)).toMatch(/^2 attempts .* zoom in/);
    expect(describeBar(bars[1]!, 1000)).toMatch(/^resnet50, seed 1 of s: Succeeded, from .*, 1 s$/);
  });

  test('of 5,000 attempts has no more bars than there is room for, and all attempts are in them', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => attempt(i * 10, i * 10 + 9));
    const bars = placeBars(many, 0, 50_000, 800);
    expect(bars.length).toBeLessThanOrEqual(200);
    expect(bars.flatMap(({ attempts }) => attempts)).toHaveLength(5_000);
    bars.slice(1).forEach((bar, i) => {
      expect(bar.left).toBeGreaterThanOrEqual(bars[i]!.left);
    });
    expect(placeBars([], 0, 1, 800)).toEqual([]);
  });

  test('has few marks at round times, and days at midnight of the reader', () => {
    const day = 86_400_000;
    const ticks = timeTicks(10 * day + 3_600_000, 11 * day + 3_600_000, 8, 2 * 3_600_000);
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect(ticks.every(({ at }) => (at + 2 * 3_600_000) % 3_600_000 === 0)).toBe(true);
    expect(ticks.some(({ at }) => (at + 2 * 3_600_000) % day === 0)).toBe(true);
    expect(timeTicks(0, 5_000, 1, 0).length).toBeLessThanOrEqual(3);
  });
});

test('a sparkline has a gap where nothing was measured, and stays within its frame', () => {
  const { line, area } = sparklinePaths([0, 1, 2, 3, 4], [0, 50, null, 500, null], 100, 100, 28);
  expect(line).toBe('M0.00 27.00L25.00 14.00M75.00 1.00h0.8');
  expect(area).toBe('M0.00 27.00L25.00 14.00L25.00 28L0.00 28Z');
  expect(sparklinePaths([], [], 1, 100, 28)).toEqual({ line: '', area: '' });
});

test('quantities', () => {
  expect(formatQuantity(0, 'percent')).toBe('0%');
  expect(formatQuantity(3.25, 'percent')).toBe('3.3%');
  expect(formatQuantity(87.4, 'percent')).toBe('87%');
  expect(formatQuantity(68.5 * 2 ** 30, 'bytes')).toBe('68.5 GiB');
  expect(formatQuantity(1.25 * 2 ** 20, 'bytesPerS')).toBe('1.25 MiB/s');
  expect(formatQuantity(512.4, 'watts')).toBe('512 W');
  expect(formatQuantity(null, 'celsius')).toBe('–');
});

describe('a sample that has just come', () => {
  const unknown = {
    memoryUsedBytes: null,
    memoryTotalBytes: null,
    diskUsedBytes: null,
    diskFreeBytes: null,
    diskReadBytesPerS: null,
    diskWriteBytesPerS: null,
    networkReceivedBytesPerS: null,
    networkSentBytesPerS: null,
  };
  const sample: HostSample = {
    machine: { cpuPercent: 30, ...unknown, memoryUsedBytes: 7 },
    gpus: [
      {
        index: 1,
        utilisationPercent: 50,
        memoryUsedBytes: null,
        memoryTotalBytes: null,
        powerW: null,
        temperatureC: null,
      },
    ],
    trainers: [],
  };
  const view: HostTelemetryView = {
    binMs: 10,
    at: [10, 20, 30],
    machine: { cpuPercent: [1, 2, null] },
    gpus: [{ index: 0, name: 'A', columns: { powerW: [5, 5, 5] } }],
  };

  test('stands at the end; what was unknown before has a gap, and the oldest leaves', () => {
    expect(appendSample(view, { at: 35, sample }, 20)).toEqual({
      binMs: 10,
      at: [20, 30, 35],
      machine: { cpuPercent: [2, null, 30], memoryUsedBytes: [null, null, 7] },
      gpus: [
        { index: 0, name: 'A', columns: { powerW: [5, 5, null] } },
        { index: 1, name: null, columns: { utilisationPercent: [null, null, 50] } },
      ],
    });
  });

  test('changes nothing when it is no news', () => {
    expect(appendSample(view, { at: 30, sample }, 20)).toBe(view);
  });
});
