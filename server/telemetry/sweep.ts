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
    const due = await findDueMinutes(db, lookBackMs);
    for (let i = 0; i < due.length; i += MEAN_PORTION) await makeMeans(db, due.slice(i, i + MEAN_PORTION));
    lookBackMs = LATE_MS;
    await deleteOlder(db, SAMPLE_WIDTHS_S, KEEP_SAMPLES_MS);
    await deleteOlder(db, [MINUTE_S], KEEP_MINUTE_MEANS_MS);
  };
}

interface Minute {
  host_id: string;
  minute: Date;
}

/** Whole minutes that have more samples now than their means were made of. */
async function findDueMinutes(db: Queryable, lookBackMs: number): Promise<Minute[]> {
  const { rows } = await db.query<Minute>(
    `SELECT f.host_id, f.minute
     FROM hosts h CROSS JOIN LATERAL (
       SELECT s.host_id, date_trunc('minute', s.at) AS minute, count(*) AS count
       FROM host_samples s
       WHERE s.host_id = h.id AND s.width_s = ANY($1::int[]) AND s.at < date_trunc('minute', now())
         AND s.at >= date_trunc('minute', now() - $2 * interval '1 millisecond')
       GROUP BY 1, 2) f
     LEFT JOIN host_samples m ON m.host_id = f.host_id AND m.width_s = ${MINUTE_S} AND m.at = f.minute
     WHERE f.count > COALESCE((m.sample->>'count')::int, 0)`,
    [SAMPLE_WIDTHS_S, lookBackMs],
  );
  return rows;
}

async function makeMeans(db: Queryable, due: readonly Minute[]): Promise<void> {
  const minutes = [due.map((each) => each.host_id), due.map((each) => each.minute)];
  const { rows } = await db.query<Minute & { samples: unknown }>(
    `SELECT d.host_id, d.minute, jsonb_agg(s.sample) AS samples
     FROM unnest($1::text[], $2::timestamptz[]) AS d(host_id, minute)
     JOIN host_samples s ON s.host_id = d.host_id AND s.width_s = ANY($3::int[])
       AND s.at >= d.minute AND s.at < d.minute + interval '1 minute'
     GROUP BY 1, 2`,
    [...minutes, SAMPLE_WIDTHS_S],
  );
  const means = rows.map(({ samples }) => {
    const parsed = z.array(HostSample).parse(samples);
    return JSON.stringify({ ...meanSample(parsed), count: parsed.length });
  });
  // A host that was removed meanwhile has none.
  await db.query(
    `INSERT INTO host_samples (host_id, width_s, at, sample)
     SELECT h.id, ${MINUTE_S}, m.minute, m.mean
     FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[]) AS m(host_id, minute, mean) JOIN hosts h ON h.id = m.host_id
     ON CONFLICT (host_id, width_s, at) DO UPDATE SET sample = excluded.sample`,
    [rows.map((row) => row.host_id), rows.map((row) => row.minute), means],
  );
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
