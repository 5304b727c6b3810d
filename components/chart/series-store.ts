/**
 * The series of a page's charts, kept up to date: a run's room first, then what is stored, then live records after what the reply said
 * it holds (`through`). Only what a chart on the screen asks for is read, and only as finely as it can show. Each series goes its own
 * way: one that may have missed something (a lost connection, a rewind, too many live points) is stale and is read again as a whole.
 */
import type { ChartReply, ChartRequest } from '@mealtable/protocol/chart-data';
import { MAX_CHART_BUCKETS, MAX_CHART_RUNS } from '@mealtable/protocol/chart-data';
import type { RunRecordsEvent, RunRewoundEvent } from '@mealtable/protocol/live-messages';
import type { Columns, Range } from './columns.ts';
import { RunTail } from './run-tail.ts';
import { SeriesEntry } from './series-entry.ts';

export interface ChartSource {
  read(request: ChartRequest, signal: AbortSignal): Promise<ChartReply>;
  /** @returns what ends it */
  watch(runId: string, watcher: { onJoined: () => void; onLost: () => void }): () => void;
}
/** What a chart shows: one metric of some runs. */
export interface Want {
  metric: string;
  runs: readonly string[];
  buckets: number;
  /** Steps that are shown, by run; null for all of them. */
  zoom: ((runId: string) => Range | null) | null;
}

const READS_AT_ONCE = 2;
/** How long a room may take before the past is read without it; what was missed is read again once it is joined. */
const JOIN_WAIT_MS = 1_000;
const RETRY_MS = 5_000;
/** A range that is read for several runs at once is at most this many times that of any of them. */
const SHARED_RANGE = 2;

export class SeriesStore {
  readonly #source: ChartSource;
  readonly #tails = new Map<string, RunTail>();
  readonly #entries = new Map<string, SeriesEntry>();
  readonly #wants = new Map<object, { want: Want; onChange: () => void }>();
  #aborted = new AbortController();
  readonly #unwatch = new Map<string, () => void>();
  #names: ReadonlySet<string> = new Set();
  readonly #onError = new Set<() => void>();
  readonly #onNames = new Set<() => void>();
  #reading = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #error: unknown = null;

  constructor(source: ChartSource) {
    this.#source = source;
  }

  /** Why the last reading failed; null when it did not. */
  get error(): unknown {
    return this.#error;
  }
  onError(listener: () => void): () => void {
    this.#onError.add(listener);
    return () => this.#onError.delete(listener);
  }

  /** Runs that may get points from now on. A run that has ended stays watched as long as the page is open. */
  watch(runIds: readonly string[]): void {
    for (const runId of runIds) {
      if (this.#unwatch.has(runId)) continue;
      const tail = this.#tailOf(runId);
      tail.waitUntil = performance.now() + JOIN_WAIT_MS;
      // Noted before, because a room that is there already is joined at once.
      this.#unwatch.set(runId, () => {});
      const stop = this.#source.watch(runId, {
        onJoined: () => {
          tail.isJoined = true;
          this.#spoil(runId);
        },
        onLost: () => {
          tail.isJoined = false;
        },
      });
      this.#unwatch.set(runId, stop);
      this.#pumpIn(JOIN_WAIT_MS);
    }
  }

  /** Asks for series until the returned function is called. @param onChange whenever one of them has changed */
  want(want: Want, onChange: () => void): () => void {
    const key = {};
    this.#wants.set(key, { want, onChange });
    this.#pumpIn(0);
    return () => this.#wants.delete(key);
  }

  columns(runId: string, metric: string): Columns | undefined {
    return this.#entries.get(keyOf(runId, metric))?.columns(this.#tailOf(runId));
  }

  /** All of the want has been read, though perhaps not the newest of it. */
  isLoaded(want: Want): boolean {
    return want.runs.every((runId) => this.#entries.get(keyOf(runId, want.metric))?.isLoaded);
  }

  /** Milliseconds since 1970 of the run's first point that is known; null without any. */
  startOf(runId: string): number | null {
    return this.#tails.get(runId)?.firstAt ?? null;
  }

  /** Metrics that live records brought. */
  get liveNames(): ReadonlySet<string> {
    return this.#names;
  }
  onNames(listener: () => void): () => void {
    this.#onNames.add(listener);
    return () => this.#onNames.delete(listener);
  }

  addRecords(event: RunRecordsEvent): void {
    const tail = this.#tails.get(event.runId);
    if (!tail || !this.#unwatch.has(event.runId)) return;
    const { metrics, isLate } = tail.add(event);
    if (isLate) this.#spoil(event.runId);
    for (const metric of metrics) this.#entries.get(keyOf(event.runId, metric))?.touch();
    if ([...metrics].some((metric) => !this.#names.has(metric))) {
      this.#names = new Set([...this.#names, ...metrics]);
      for (const listener of this.#onNames) listener();
    }
    this.#tell(event.runId, metrics);
    if (tail.isLong) this.#shorten(event.runId, tail);
  }

  rewind(event: RunRewoundEvent): void {
    const tail = this.#tails.get(event.runId);
    if (!tail) return;
    tail.rewind(event);
    for (const entry of this.#entriesOf(event.runId)) entry.rewind(event);
    this.#tell(event.runId, null);
    this.#pumpIn(0);
  }

  /** Reads again what could not be read. */
  retry(): void {
    this.#fail(null);
    this.#pump();
  }

  /** Also after `dispose`, as when React mounts a page twice. */
  open(): void {
    if (!this.#aborted.signal.aborted) return;
    this.#aborted = new AbortController();
    for (const entry of this.#entries.values()) entry.failReading();
    this.#pumpIn(0);
  }

  dispose(): void {
    this.#aborted.abort();
    for (const stop of this.#unwatch.values()) stop();
    this.#unwatch.clear();
    this.#wants.clear();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #fail(error: unknown): void {
    if (this.#error === error) return;
    this.#error = error;
    for (const listener of this.#onError) listener();
  }

  #tailOf(runId: string): RunTail {
    let tail = this.#tails.get(runId);
    if (!tail) {
      tail = new RunTail();
      this.#tails.set(runId, tail);
    }
    return tail;
  }

  *#entriesOf(runId: string): Generator<SeriesEntry> {
    for (const entry of this.#entries.values()) if (entry.runId === runId) yield entry;
  }

  /** All series of the run may have missed something. */
  #spoil(runId: string): void {
    for (const entry of this.#entriesOf(runId)) entry.isStale = true;
    this.#pumpIn(0);
  }

  /** @param metrics null for all */
  #tell(runId: string, metrics: ReadonlySet<string> | null): void {
    for (const { want, onChange } of this.#wants.values())
      if ((metrics === null || metrics.has(want.metric)) && want.runs.includes(runId)) onChange();
  }

  /** Live points are kept until all series on the screen hold them; series off the screen are read again when they come back. */
  #shorten(runId: string, tail: RunTail): void {
    const shown = new Set(
      [...this.#wants.values()].filter(({ want }) => want.runs.includes(runId)).map(({ want }) => want.metric),
    );
    const entries = [...this.#entriesOf(runId)];
    for (const entry of entries) if (shown.has(entry.metric)) entry.isStale = true;
    tail.dropBefore(entries.filter((entry) => shown.has(entry.metric)).map((entry) => entry.through));
    for (const entry of entries) if (!tail.reaches(entry.through)) entry.forget();
    this.#pumpIn(0);
  }

  #pumpIn(ms: number): void {
    if (this.#aborted.signal.aborted || (this.#timer && ms > 0)) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, ms);
  }

  #pump(): void {
    if (this.#error !== null) return;
    let isWaiting = false;
    for (const { want } of this.#wants.values()) {
      if (this.#reading >= READS_AT_ONCE) return;
      const due: SeriesEntry[] = [];
      for (const runId of want.runs) {
        const tail = this.#tailOf(runId);
        const entry = this.#entryOf(runId, want.metric);
        entry.zoomTo(want.zoom?.(runId) ?? null, want.buckets);
        if (!entry.needsReading(want.buckets, tail)) continue;
        if (this.#unwatch.has(runId) && !tail.isJoined && performance.now() < tail.waitUntil) isWaiting = true;
        else due.push(entry);
      }
      for (const batch of inBatches(due)) {
        if (this.#reading >= READS_AT_ONCE) return;
        void this.#read(want, batch);
      }
    }
    if (isWaiting) this.#pumpIn(JOIN_WAIT_MS);
  }

  async #read({ metric, buckets }: Want, entries: readonly SeriesEntry[]): Promise<void> {
    this.#reading++;
    const wanted = entries[0]?.wantedRange ?? null;
    const range = wanted && {
      from: Math.min(...entries.map((entry) => entry.wantedRange?.from ?? 0)),
      to: Math.max(...entries.map((entry) => entry.wantedRange?.to ?? 0)),
    };
    // As fine for the narrowest of them as if it were read alone.
    const narrowest = Math.min(...entries.map((entry) => widthOf(entry.wantedRange)));
    const finer = range ? Math.min(MAX_CHART_BUCKETS, Math.ceil((buckets * widthOf(range)) / narrowest)) : buckets;
    const tickets = entries.map((entry) => entry.beginReading());
    try {
      const runs = entries.map((entry) => entry.runId);
      const request = { runs, metrics: [metric], from: range?.from ?? null, to: range?.to ?? null, buckets: finer };
      const reply = await this.#source.read(request, this.#aborted.signal);
      const found = new Map(reply.series.map((series) => [series.runId, series]));
      entries.forEach((entry, i) => {
        const tail = this.#tailOf(entry.runId);
        const through = reply.through[entry.runId] ?? null;
        const changes = entry.take(tickets[i] as number, {
          series: found.get(entry.runId) ?? null,
          through,
          range,
          buckets: finer,
        });
        if (!changes) return;
        for (const rewind of tail.rewinds) entry.rewind(rewind);
        tail.noteFirst(entry.columns(tail).at[0]);
        this.#tell(entry.runId, new Set([metric]));
      });
    } catch (error) {
      if (this.#aborted.signal.aborted) return;
      for (const entry of entries) entry.failReading();
      this.#fail(error);
      setTimeout(() => !this.#aborted.signal.aborted && this.retry(), RETRY_MS);
    } finally {
      this.#reading--;
    }
    this.#pump();
  }

  #entryOf(runId: string, metric: string): SeriesEntry {
    const key = keyOf(runId, metric);
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = new SeriesEntry(runId, metric);
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

const widthOf = (range: Range | null): number => (range === null ? 1 : range.to - range.from + 1);

const keyOf = (runId: string, metric: string) => `${runId} ${metric}`;

/** Series that one request can read: as many runs as it takes, and ranges that are about the same. */
function* inBatches(due: readonly SeriesEntry[]): Generator<SeriesEntry[]> {
  const whole = due.filter((entry) => entry.wantedRange === null);
  for (let i = 0; i < whole.length; i += MAX_CHART_RUNS) yield whole.slice(i, i + MAX_CHART_RUNS);
  let batch: SeriesEntry[] = [];
  let common: Range | null = null;
  const ranged = due.filter((entry) => entry.wantedRange !== null);
  ranged.sort((a, b) => (a.wantedRange as Range).from - (b.wantedRange as Range).from);
  for (const entry of ranged) {
    const { from, to } = entry.wantedRange as Range;
    const joined: Range = { from: Math.min(from, common?.from ?? from), to: Math.max(to, common?.to ?? to) };
    const shortest = Math.min(
      ...[...batch, entry].map(({ wantedRange }) => (wantedRange as Range).to - (wantedRange as Range).from + 1),
    );
    if (batch.length > 0 && (joined.to - joined.from + 1 > SHARED_RANGE * shortest || batch.length >= MAX_CHART_RUNS)) {
      yield batch;
      batch = [];
      common = { from, to };
    } else common = joined;
    batch.push(entry);
  }
  if (batch.length > 0) yield batch;
}
