/**
 * What the hub does with stored points by itself: every two seconds the summaries of the runs that have got some, and segments from
 * their chunks when there are enough of them or no more will come. Nothing waits for it, and nothing is lost when it is late.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import { type CoreHub, type Tx, transact } from '../../runs/transaction.ts';
import { tryLockMetrics } from '../rows.ts';
import { summariseNew } from '../summary/keep-summaries.ts';
import { compactChunks, mergeSegments, SEGMENT_LIMITS, type SegmentLimits } from './compact.ts';

export interface TendLimits extends SegmentLimits {
  /** Chunks of an attempt that is under way are put together when they hold so many records, but not more often than `everyMs`... */
  leastRecords: number;
  everyMs: number;
  /** ...unless they hold a whole segment, or there are so many that reading them takes long. */
  mostChunks: number;
}
export const TEND_LIMITS: TendLimits = { ...SEGMENT_LIMITS, leastRecords: 1_024, everyMs: 10_000, mostChunks: 512 };

const TEND_MS = 2_000;
/** Runs that one transaction summarises. */
const RUNS_AT_ONCE = 16;

interface Waiting extends AttemptRef {
  chunks: number;
  records: number;
  bytes: number;
  unsummarised: boolean;
  /** It has ended, or a later attempt has begun. */
  over: boolean;
}

/** Points are safe as chunks; when this is lost in a crash it is done again, so it need not wait for the disk. */
async function quietly<T>(hub: CoreHub, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(hub, async (tx) => {
    await tx.query('SET LOCAL synchronous_commit = off');
    return work(tx);
  });
}

export class Tender {
  readonly #hub: CoreHub;
  readonly #limits: TendLimits;
  /** Runs that have chunks. */
  readonly #runs = new Set<string>();
  readonly #compactedAt = new Map<string, number>();
  readonly #note = ({ runId }: { runId: string }) => void this.#runs.add(runId);

  constructor(hub: CoreHub, limits = TEND_LIMITS) {
    this.#hub = hub;
    this.#limits = limits;
    hub.bus.on('run:records', this.#note);
  }

  /** Finds what an earlier hub has left. */
  async find(): Promise<void> {
    const { rows } = await this.#hub.pool.query<{ run_id: string }>('SELECT DISTINCT run_id FROM metric_chunks');
    for (const { run_id } of rows) this.#runs.add(run_id);
  }

  close(): void {
    this.#hub.bus.off('run:records', this.#note);
  }

  /** One round over all runs that have chunks. @param nowMs for `everyMs` alone */
  async tend(nowMs: number): Promise<void> {
    const runs = [...this.#runs];
    const waiting = await this.#look(runs);
    const fresh = [...new Set(waiting.filter((one) => one.unsummarised).map(({ runId }) => runId))];
    for (let from = 0; from < fresh.length; from += RUNS_AT_ONCE)
      await this.#summarise(fresh.slice(from, from + RUNS_AT_ONCE));
    for (const one of waiting) if (this.#isDue(one, nowMs)) await this.#compact(one, nowMs);
    const left = new Set(waiting.map(({ runId }) => runId));
    for (const runId of runs) if (!left.has(runId)) this.#forget(runId);
  }

  #forget(runId: string): void {
    this.#runs.delete(runId);
    this.#compactedAt.delete(runId);
  }

  async #look(runs: readonly string[]): Promise<Waiting[]> {
    if (runs.length === 0) return [];
    const { rows } = await this.#hub.pool.query<Waiting>(
      `SELECT c.run_id AS "runId", c.attempt, count(*)::int AS chunks, sum(c.records)::int AS records,
              sum(octet_length(c.data))::float8 AS bytes, max(c.last_seq) > COALESCE(max(m.summarised_seq), 0) AS unsummarised,
              bool_or(a.ended_at IS NOT NULL OR r.attempt <> c.attempt) AS over
       FROM metric_chunks c JOIN runs r ON r.id = c.run_id
       JOIN run_attempts a ON a.run_id = c.run_id AND a.attempt = c.attempt
       LEFT JOIN metric_marks m ON m.run_id = c.run_id AND m.attempt = c.attempt
       WHERE c.run_id = ANY($1) GROUP BY c.run_id, c.attempt ORDER BY c.run_id, c.attempt`,
      [runs],
    );
    return rows;
  }

  /** A run whose points somebody else is at work on is left for the next round. */
  async #summarise(runs: readonly string[]): Promise<void> {
    for (let left = runs; left.length > 0; )
      left = await quietly(this.#hub, async (tx) => {
        const more: string[] = [];
        for (const runId of left)
          if ((await tryLockMetrics(tx, runId)) && (await summariseNew(tx, runId))) more.push(runId);
        return more;
      });
  }

  #isDue({ runId, chunks, records, bytes, over }: Waiting, nowMs: number): boolean {
    const limits = this.#limits;
    if (over || records >= limits.records || bytes >= limits.bytes || chunks >= limits.mostChunks) return true;
    return records >= limits.leastRecords && nowMs - (this.#compactedAt.get(runId) ?? 0) >= limits.everyMs;
  }

  async #compact({ runId, attempt, over, ...waiting }: Waiting, nowMs: number): Promise<void> {
    this.#compactedAt.set(runId, nowMs);
    const ref = { runId, attempt };
    for (let left = waiting.records; left > 0; ) {
      const done = await quietly(this.#hub, async (tx) =>
        (await tryLockMetrics(tx, runId)) ? compactChunks(tx, ref, this.#limits) : 0,
      );
      if (done === 0) return;
      left -= done;
      // Batches that came meanwhile go first.
      await sleep(0);
    }
    await quietly(this.#hub, async (tx) => {
      if (await tryLockMetrics(tx, runId)) await mergeSegments(tx, ref, this.#limits, over ? 2 : this.#limits.small);
    });
  }
}

/** @returns what ends it, after the round that is under way */
export async function startTending(hub: CoreHub): Promise<() => Promise<void>> {
  const tender = new Tender(hub);
  await tender.find();
  const stopped = new AbortController();
  const round = async () => {
    while (!stopped.signal.aborted) {
      const began = performance.now();
      await tender
        .tend(began)
        .catch((error: unknown) => console.error('Tending the metrics failed; it is tried again soon:', error));
      const tookMs = performance.now() - began;
      // No more than half of the time, however much there is to do.
      await sleep(Math.max(TEND_MS - tookMs, tookMs), undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const running = round();
  return async () => {
    stopped.abort();
    tender.close();
    await running;
  };
}
