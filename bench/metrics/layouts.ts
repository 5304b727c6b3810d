/** Bytes per point on disk of three layouts, for the same points: a row per point, a row per record, and packed segments. */
import type pg from 'pg';
import { encodeSegment } from '../../server/metrics/codec/segment.ts';
import type { Track } from '../../server/metrics/codec/track.ts';
import { insertSegment } from '../../server/metrics/rows.ts';
import { METRICS, valueAt } from './connection.ts';

const RECORDS = 65_536;
const SEGMENT_RECORDS = 8_192;
const RUN = 'run_01j00000000000000000000000';

const sizeOf = async (db: pg.Client, table: string) => {
  await db.query(`VACUUM ${table}`);
  const { rows } = await db.query<{ bytes: number }>(`SELECT pg_total_relation_size('${table}')::float8 AS bytes`);
  return Number((rows[0]!.bytes / (RECORDS * METRICS.length)).toFixed(2));
};

/** @param isFloat32 whether the values are such that four bytes hold them, as those of a loss that a GPU has reckoned */
export async function measureLayouts(db: pg.Client, isFloat32: boolean) {
  const value = (seq: number, metric: number) => {
    const narrow = valueAt(seq, metric);
    return isFloat32 || METRICS[metric] === 'train/learning_rate' ? narrow : narrow + 1e-9 * seq;
  };
  await db.query(`
    CREATE TEMP TABLE point_rows (run_id text, series_id int, seq int, step int, epoch float8, at timestamptz, value float8,
                             PRIMARY KEY (run_id, series_id, seq));
    CREATE TEMP TABLE record_rows (run_id text, attempt int, seq int, step int, epoch float8, at timestamptz, series_id int[],
                              "values" float8[], PRIMARY KEY (run_id, attempt, seq));
    CREATE TEMP TABLE metric_segments (LIKE public.metric_segments INCLUDING ALL)`);
  for (let from = 1; from <= RECORDS; from += SEGMENT_RECORDS) {
    const seqs = Array.from({ length: SEGMENT_RECORDS }, (_, i) => from + i);
    const ats = seqs.map((seq) => 1.7e12 + seq * 50 + ((seq * 7) % 5));
    const columns = METRICS.map((_, i) => Float64Array.from(seqs, (seq) => value(seq, i)));
    await db.query(
      `INSERT INTO record_rows SELECT $1, 1, seq, seq, seq / 391.0::float8, to_timestamp(at / 1000),
         ARRAY(SELECT generate_series(1, ${METRICS.length})), vals::float8[]
       FROM unnest($2::int[], $3::float8[], $4::text[]) AS t(seq, at, vals)`,
      [RUN, seqs, ats, seqs.map((_, i) => `{${columns.map((column) => column[i]).join()}}`)],
    );
    const numbers = Float64Array.from(seqs);
    const track: Track<number> = {
      metrics: METRICS.map((_, i) => i + 1),
      rows: { seq: numbers, step: numbers, at: Float64Array.from(ats), epoch: numbers.map((seq) => seq / 391) },
      columns,
    };
    await insertSegment(db, { runId: RUN, attempt: 1 }, encodeSegment(1, track));
  }
  await db.query(
    `INSERT INTO point_rows SELECT run_id, s, seq, step, epoch, at, v FROM record_rows, unnest(series_id, "values") AS t(s, v)`,
  );
  const sizes = {
    rowPerPoint: await sizeOf(db, 'point_rows'),
    rowPerRecord: await sizeOf(db, 'record_rows'),
    segments: await sizeOf(db, 'metric_segments'),
  };
  await db.query('DROP TABLE pg_temp.point_rows, pg_temp.record_rows, pg_temp.metric_segments');
  return sizes;
}
