/** Makes means over minutes of what hosts measured, and deletes what is too old, in small portions. */
import { HostSample, MINUTE_S, SAMPLE_WIDTHS_S } from '@mealtable/protocol/telemetry';
import { KEEP_MINUTE_MEANS_MS, KEEP_SAMPLES_MS } from '@mealtable/protocol/tunables';
import { z } from 'zod';
import type { Queryable } from '../runs/summary.ts';
import { meanSample } from './mean-sample.ts';

/** Samples may come late: agents keep those of a quarter of an hour while the hub is away. */
const LATE_MS = 20 * 60_000;
/** Minutes read at once. */
const MEAN_PORTION = 100;
const DELETE_PORTION = 5_000;

/** @returns the work of one round. The first looks at everything that is kept: the hub may have been away at any time */
export function makeTelemetrySweep(db: Queryable): () => Promise<void> {
  let lookBackMs = KEEP_SAMPLES_MS;
  return async () => {
    while ((await makeMinuteMeans(db, lookBackMs)) === MEAN_PORTION);
    lookBackMs = LATE_MS;
    await deleteOlder(db, SAMPLE_WIDTHS_S, KEEP_SAMPLES_MS);
    await deleteOlder(db, [MINUTE_S], KEEP_MINUTE_MEANS_MS);
  };
}

/**
 * The mean of each whole minute that has more samples now than its mean was made of.
 * @returns how many were made, at most MEAN_PORTION
 */
export async function makeMinuteMeans(db: Queryable, lookBackMs: number): Promise<number> {
  const { rows } = await db.query<{ host_id: string; minute: Date; samples: unknown }>(
    `SELECT f.host_id, f.minute, f.samples
     FROM hosts h CROSS JOIN LATERAL (
       SELECT s.host_id, date_trunc('minute', s.at) AS minute, jsonb_agg(s.sample) AS samples, count(*) AS count
       FROM host_samples s
       WHERE s.host_id = h.id AND s.width_s = ANY($1::int[]) AND s.at < date_trunc('minute', now())
         AND s.at >= date_trunc('minute', now() - $2 * interval '1 millisecond')
       GROUP BY 1, 2) f
     LEFT JOIN host_samples m ON m.host_id = f.host_id AND m.width_s = ${MINUTE_S} AND m.at = f.minute
     WHERE f.count > COALESCE((m.sample->>'count')::int, 0)
     LIMIT ${MEAN_PORTION}`,
    [SAMPLE_WIDTHS_S, lookBackMs],
  );
  if (rows.length === 0) return 0;
  const means = rows.map(({ samples }) => {
    const parsed = z.array(HostSample).parse(samples);
    return JSON.stringify({ ...meanSample(parsed), count: parsed.length });
  });
  await db.query(
    `INSERT INTO host_samples (host_id, width_s, at, sample)
     SELECT h.id, ${MINUTE_S}, m.minute, m.mean
     FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[]) AS m(host_id, minute, mean) JOIN hosts h ON h.id = m.host_id
     ON CONFLICT (host_id, width_s, at) DO UPDATE SET sample = excluded.sample`,
    [rows.map((row) => row.host_id), rows.map((row) => row.minute), means],
  );
  return rows.length;
}

/** A portion at a time: one large deletion would hold the disk up for everybody. */
export async function deleteOlder(
  db: Queryable,
  widths: readonly number[],
  keepMs: number,
  portion: number = DELETE_PORTION,
): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `DELETE FROM host_samples WHERE (host_id, width_s, at) IN (
         SELECT s.host_id, s.width_s, s.at FROM hosts h CROSS JOIN LATERAL (
           SELECT * FROM host_samples o WHERE o.host_id = h.id AND o.width_s = ANY($1::int[])
             AND o.at < now() - $2 * interval '1 millisecond' LIMIT $3) s
         LIMIT $3)`,
      [widths, keepMs, portion],
    );
    if ((rowCount ?? 0) < portion) return;
  }
}
