/** What the database holds of the metrics of runs, chunks and segments alike. */
import type pg from 'pg';
import { readRecords, type StoredRecord } from '../../server/metrics/read-records.ts';
import { inSnapshot } from '../../server/metrics/snapshot.ts';

/** Everything that holds records, for statements that count them or look for their steps. */
export const STORED_PARTS = `(SELECT run_id, attempt, first_seq, last_seq, first_step, last_step, records FROM metric_chunks
  UNION ALL SELECT run_id, attempt, first_seq, last_seq, first_step, last_step, records FROM metric_segments) AS parts`;

/** All metrics records of a run by attempt and number. */
export const storedRecords = (pool: pg.Pool, runId: string): Promise<StoredRecord[]> =>
  inSnapshot(pool, (db) => readRecords(db, runId, null, Number.POSITIVE_INFINITY));

/** The tables of metrics, for tests that empty them. */
export const METRIC_TABLES = ['metric_records', 'metric_chunks', 'metric_segments', 'metric_marks'];
