/** The series of a page's charts: complete, each point once, and without what a rewind undid, whatever order things arrive in. */
import type { ChartReply, ChartRequest, ChartSeries } from '@mealtable/protocol/chart-data';
import type { RecordCursor } from '@mealtable/protocol/views';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SeriesStore } from '../../components/chart/series-store.ts';

const METRIC = 'train/loss';
interface Stored extends RecordCursor {
  step: number;
  value: number;
}
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const points = (attempt: number, from: number, to: number): Stored[] =>
  range(from, to).map((n) => ({ attempt, seq: n, step: n, value: n / 10 }));

/** A hub with one run: what it has stored, its room, and replies that are given when the test says so. */
class Hub {
  stored: Stored[] = [];
  requests: ChartRequest[] = [];
  isRoomOpen = true;
  #replies: (() => void)[] = [];
  #watcher: { onJoined: () => void; onLost: () => void } | null = null;
  /** Each entry stands for so many points; 1 for points as they are. */
  perBucket = 1;
  readonly store = new SeriesStore({
    // The reply holds what is stored in the moment of the question, and arrives later.
    read: (request) => {
      this.requests.push(request);
      const reply = this.#reply(request);
      return new Promise((resolve) => this.#replies.push(() => resolve(reply)));
    },
    watch: (_, watcher) => {
      this.#watcher = watcher;
      if (this.isRoomOpen) watcher.onJoined();
      return () => {};
    },
  });

  #reply({ runs: [runId], from, to }: ChartRequest): ChartReply {
    const inRange = this.stored.filter(({ step }) => step >= (from ?? 0) && step <= (to ?? Number.POSITIVE_INFINITY));
    const size = from === null ? this.perBucket : 1;
    const buckets = range(0, Math.ceil(inRange.length / size) - 1).map((i) => inRange.slice(i * size, (i + 1) * size));
    const column = (of: (bucket: Stored[]) => number) => buckets.map(of);
    const values = (bucket: Stored[]) => bucket.map(({ value }) => value);
    const last = column((bucket) => bucket.at(-1)!.step);
    const series: ChartSeries = {
      ...{ runId: runId as string, metric: METRIC, isRaw: size === 1, points: inRange.length },
      ...{ step: last, epoch: last.map((step) => step / 10), at: last.map((step) => step * 1_000) },
      value: column((bucket) => values(bucket).reduce((a, b) => a + b, 0) / bucket.length),
      min: size === 1 ? [] : column((bucket) => Math.min(...values(bucket))),
      max: size === 1 ? [] : column((bucket) => Math.max(...values(bucket))),
      first: size === 1 ? [] : column((bucket) => bucket[0]!.value),
      last: size === 1 ? [] : column((bucket) => bucket.at(-1)!.value),
      firstStep: size === 1 ? [] : column((bucket) => bucket[0]!.step),
      count: size === 1 ? [] : column((bucket) => bucket.length),
    };
    const newest = this.stored.at(-1);
    return {
      series: inRange.length === 0 ? [] : [series],
      through: newest ? { run_a: { attempt: newest.attempt, seq: newest.seq } } : {},
    };
  }

  /** Stored, then told, as the hub does. */
  write(added: Stored[]): void {
    this.stored.push(...added);
    this.tell(added);
  }
  tell(added: Stored[]): void {
    for (const { attempt, seq, step, value } of added)
      this.store.addRecords({
        ...{ runId: 'run_a', attempt },
        records: [{ kind: 'metrics', seq, step, epoch: step / 10, at: step * 1_000, values: { [METRIC]: value } }],
      });
  }
  rewind(attempt: number, stepsCompleted: number): void {
    this.stored = this.stored.filter((point) => point.attempt >= attempt || point.step <= stepsCompleted);
    this.store.rewind({ runId: 'run_a', attempt, stepsCompleted });
  }
  lose(): void {
    this.#watcher?.onLost();
  }
  join(): void {
    this.#watcher?.onJoined();
  }
  /** Lets the oldest question be answered, and what follows from it happen. */
  async answer(): Promise<void> {
    await this.settle();
    this.#replies.shift()?.();
    await this.settle();
  }
  async answerAll(): Promise<void> {
    await this.settle();
    while (this.#replies.length > 0) await this.answer();
  }
  async settle(): Promise<void> {
    await vi.advanceTimersByTimeAsync(1);
  }
  want(zoom: { from: number; to: number } | null = null, buckets = 1_000): () => void {
    return this.store.want({ metric: METRIC, runs: ['run_a'], buckets, zoom: zoom && (() => zoom) }, () => {});
  }
  steps(): number[] {
    return this.store.columns('run_a', METRIC)?.step ?? [];
  }
}

let hub: Hub;
function open(): Hub {
  vi.useFakeTimers();
  hub = new Hub();
  return hub;
}
afterEach(() => {
  hub.store.dispose();
  vi.useRealTimers();
});

describe('a series', () => {
  it('is what was stored and what came since, each point once, for every way in which the two can overlap', async () => {
    for (const toldBefore of [0, 3, 8])
      for (const storedOnly of [0, 2, 5]) {
        const { store } = open();
        store.watch(['run_a']);
        hub.stored = points(1, 1, 5);
        hub.tell(points(1, 5 - storedOnly, 5));
        hub.want();
        await hub.settle();
        hub.write(points(1, 6, 5 + toldBefore));
        await hub.answer();
        hub.write(points(1, 6 + toldBefore, 20));
        expect(hub.steps()).toEqual(range(1, 20));
        store.dispose();
      }
  });

  it('closes the gap of a lost connection', async () => {
    const { store } = open();
    store.watch(['run_a']);
    hub.write(points(1, 1, 5));
    hub.want();
    await hub.answerAll();
    hub.lose();
    hub.stored.push(...points(1, 6, 9));
    hub.join();
    hub.write(points(1, 10, 12));
    await hub.answerAll();
    expect(hub.steps()).toEqual(range(1, 12));
  });

  it('is read without its room when that takes too long, and again once it is joined', async () => {
    const { store } = open();
    hub.isRoomOpen = false;
    store.watch(['run_a']);
    hub.stored = points(1, 1, 5);
    hub.want();
    await hub.settle();
    expect(hub.requests).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1_100);
    await hub.answerAll();
    expect(hub.steps()).toEqual(range(1, 5));
    hub.stored.push(...points(1, 6, 7));
    hub.join();
    await hub.answerAll();
    expect(hub.steps()).toEqual(range(1, 7));
  });

  it('is read again, as buckets, when live points have grown too many, and nothing is lost on the way', async () => {
    const { store } = open();
    store.watch(['run_a']);
    hub.write(points(1, 1, 10));
    const leave = hub.want();
    await hub.answerAll();
    hub.perBucket = 10;
    for (let n = 10; n < 4_500; n += 500) {
      hub.write(points(1, n + 1, n + 500));
      hub.steps();
    }
    await hub.answerAll();
    leave();
    hub.want();
    await hub.answerAll();
    const columns = store.columns('run_a', METRIC)!;
    expect(columns.count.reduce((a, b) => a + b, 0)).toBe(hub.stored.length);
    expect(columns.step.length).toBeLessThan(1_500);
    expect(columns.step.at(-1)).toBe(hub.stored.at(-1)!.step);
  });

  it('has finer points where it is zoomed, and the coarse ones around them', async () => {
    const { store } = open();
    hub.perBucket = 10;
    hub.stored = points(1, 0, 999);
    hub.want();
    await hub.answerAll();
    expect(hub.steps()).toHaveLength(100);
    hub.want({ from: 300, to: 399 });
    await hub.answerAll();
    const { step, isRaw, count } = store.columns('run_a', METRIC)!;
    for (const n of range(300, 399)) expect(step).toContain(n);
    expect(isRaw).toBe(false);
    expect(step).toEqual([...step].sort((a, b) => a - b));
    expect(count.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(990);
    // Held finely enough: a small move asks for nothing.
    const asked = hub.requests.length;
    hub.want({ from: 305, to: 404 });
    await hub.answerAll();
    expect(hub.requests).toHaveLength(asked);
  });
});

describe('a rewind', () => {
  it('takes away points of earlier attempts beyond its start, stored and live', async () => {
    const { store } = open();
    store.watch(['run_a']);
    hub.write(points(1, 1, 5));
    hub.want();
    await hub.answerAll();
    hub.write(points(1, 6, 10));
    hub.rewind(2, 4);
    expect(hub.steps()).toEqual(range(1, 4));
    hub.write(points(2, 1, 7).map((point) => ({ ...point, step: point.step + 4 })));
    expect(hub.steps()).toEqual(range(1, 11));
  });

  it('also keeps out a reply that was made before it and arrives after it', async () => {
    const { store } = open();
    store.watch(['run_a']);
    hub.write(points(1, 1, 9));
    hub.want();
    await hub.settle();
    hub.rewind(2, 3);
    await hub.answer();
    expect(hub.steps()).toEqual(range(1, 3));
  });

  it('into a bucket has the series read again', async () => {
    const { store } = open();
    store.watch(['run_a']);
    hub.perBucket = 10;
    hub.write(points(1, 0, 99));
    hub.want();
    await hub.answerAll();
    hub.rewind(2, 44);
    expect(hub.steps().at(-1)).toBe(39);
    hub.perBucket = 5;
    await hub.answerAll();
    expect(hub.steps().at(-1)).toBe(44);
  });
});

it('a reading that failed is said, and made again', async () => {
  const { store } = open();
  hub.stored = points(1, 1, 3);
  const source = vi.spyOn(hub.requests, 'push').mockImplementationOnce(() => {
    throw new Error('away');
  });
  hub.want();
  await hub.settle();
  expect(store.error).toBeInstanceOf(Error);
  source.mockRestore();
  await vi.advanceTimersByTimeAsync(5_100);
  await hub.answerAll();
  expect(store.error).toBeNull();
  expect(hub.steps()).toEqual([1, 2, 3]);
});
