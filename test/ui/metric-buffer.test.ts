/** A run's curves in the browser: complete, in order, and without what a rewind undid, whatever order things arrive in. */
import type { MetricPage, RecordCursor } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { MetricBuffer } from '../../components/run/metric-buffer.ts';

type Point = MetricPage['points'][number];

const point = (attempt: number, seq: number, step: number, loss: number | string = step / 10): Point => ({
  attempt,
  seq,
  at: 1_000 * seq,
  step,
  epoch: step / 10,
  values: { 'train/loss': loss },
});
const page = (points: Point[], next: RecordCursor | null = null): MetricPage => ({ points, next });
const live = (attempt: number, points: Point[]) => ({
  runId: 'run_x',
  attempt,
  records: points.map(({ attempt: _, ...rest }) => ({ kind: 'metrics' as const, ...rest })) as never[],
});
const stepsOf = (buffer: MetricBuffer, metric = 'train/loss') => buffer.series(metric)?.step ?? [];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const points = (attempt: number, from: number, to: number) => range(from, to).map((n) => point(attempt, n, n));

describe('catching up', () => {
  it('gives one series from several pages, each read from the cursor', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 3), { attempt: 1, seq: 3 }));
    expect(buffer.isCaughtUp).toBe(false);
    expect(buffer.cursor).toEqual({ attempt: 1, seq: 3 });
    buffer.addPage(page(points(1, 4, 5)));
    expect(buffer.isCaughtUp).toBe(true);
    expect(stepsOf(buffer)).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps live batches aside until the last page is in, then adds only what the pages did not hold', () => {
    const buffer = new MetricBuffer();
    buffer.addLive(live(1, points(1, 3, 6)));
    expect(stepsOf(buffer)).toEqual([]);
    buffer.addPage(page(points(1, 1, 4)));
    expect(stepsOf(buffer)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes nothing twice', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 4)));
    buffer.addLive(live(1, points(1, 2, 5)));
    buffer.addLive(live(1, points(1, 2, 5)));
    buffer.addPage(page(points(1, 1, 5)));
    expect(stepsOf(buffer)).toEqual([1, 2, 3, 4, 5]);
  });

  it('closes the gap of a lost connection before it takes live batches again', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 3)));
    buffer.beginCatchUp();
    buffer.addLive(live(1, points(1, 7, 8)));
    expect(stepsOf(buffer)).toEqual([1, 2, 3]);
    expect(buffer.cursor).toEqual({ attempt: 1, seq: 3 });
    buffer.addPage(page(points(1, 4, 7)));
    expect(stepsOf(buffer)).toEqual(range(1, 8));
  });

  it('moves the cursor over records that are no points', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page([]));
    buffer.addLive({
      runId: 'run_x',
      attempt: 1,
      records: [{ kind: 'log', seq: 9, at: 0, level: 'info', line: 'hello' }],
    });
    expect(buffer.cursor).toEqual({ attempt: 1, seq: 9 });
    buffer.addLive(live(1, [point(1, 8, 8)]));
    expect(stepsOf(buffer)).toEqual([]);
  });
});

describe('a rewind', () => {
  it('drops points of earlier attempts beyond the checkpoint, and nothing else', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 10)));
    buffer.rewind({ attempt: 2, stepsCompleted: 6 });
    expect(stepsOf(buffer)).toEqual(range(1, 6));
    buffer.addLive(live(2, [point(2, 1, 7, 70), point(2, 2, 8, 80)]));
    expect(stepsOf(buffer)).toEqual(range(1, 8));
    expect(buffer.series('train/loss')?.value.slice(-2)).toEqual([70, 80]);
    expect(buffer.series('train/loss')?.attempt.slice(-2)).toEqual([2, 2]);
  });

  it('also keeps out a page that was read before it and arrives after it', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 4), { attempt: 1, seq: 4 }));
    buffer.rewind({ attempt: 2, stepsCompleted: 2 });
    buffer.addPage(page(points(1, 5, 9)));
    expect(stepsOf(buffer)).toEqual([1, 2]);
  });

  it('known from the run’s attempts mends a series whose event was missed', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 10)));
    buffer.beginCatchUp();
    buffer.addPage(page([point(2, 1, 5, 50), point(2, 2, 6, 60)]));
    buffer.rewind({ attempt: 2, stepsCompleted: 4 });
    expect(stepsOf(buffer)).toEqual(range(1, 6));
  });

  it('to the beginning leaves no empty metric behind', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 3)));
    buffer.rewind({ attempt: 2, stepsCompleted: 0 });
    expect(buffer.metrics()).toEqual([]);
  });

  it('said twice changes nothing the second time', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page(points(1, 1, 5)));
    buffer.rewind({ attempt: 2, stepsCompleted: 3 });
    const { version } = buffer;
    buffer.rewind({ attempt: 2, stepsCompleted: 3 });
    expect(buffer.version).toBe(version);
  });
});

describe('values', () => {
  it('that JSON cannot hold come back as numbers', () => {
    const buffer = new MetricBuffer();
    buffer.addPage(page([point(1, 1, 1, 'NaN'), point(1, 2, 2, '-Infinity')]));
    expect(buffer.series('train/loss')?.value).toEqual([Number.NaN, Number.NEGATIVE_INFINITY]);
  });

  it('of metrics nobody asked for are not held', () => {
    const buffer = new MetricBuffer((metric) => metric.startsWith('val/'));
    const mixed = point(1, 1, 1);
    mixed.values['val/top1'] = 90;
    buffer.addPage(page([mixed]));
    expect(buffer.metrics()).toEqual(['val/top1']);
  });

  it('equal those of a reader that had no faults, for any cut of the stream into pages and live batches', () => {
    const all = points(1, 1, 60);
    for (let cut = 0; cut <= 60; cut += 7)
      for (let overlap = 0; overlap <= cut; overlap += 5) {
        const buffer = new MetricBuffer();
        buffer.addLive(live(1, all.slice(cut - overlap, 60)));
        buffer.addPage(page(all.slice(0, Math.floor(cut / 2)), { attempt: 1, seq: Math.floor(cut / 2) }));
        buffer.addPage(page(all.slice(Math.floor(cut / 2), cut)));
        expect(stepsOf(buffer)).toEqual(range(1, 60));
      }
  });
});
