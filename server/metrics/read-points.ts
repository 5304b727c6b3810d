/** All points of metrics of runs, as they were logged. */
import type { Queryable } from '../runs/summary.ts';
import { decodeChunk } from './codec/chunk.ts';
import { type ColumnKind, decodeColumn } from './codec/column.ts';
import { decodeRows, type Rows } from './codec/rows.ts';

/** Points of one series that were stored together, by seq. */
export interface SeriesPart {
  runId: string;
  name: string;
  attempt: number;
  rows: Rows;
  values: Float64Array;
}
interface PartRow {
  run_id: string;
  attempt: number;
  name: string | null;
  records: number;
  kind: number | null;
  rows: Buffer | null;
  data: Buffer | null;
  id: number | null;
}

/**
 * In one statement, so that points are seen once while chunks become segments.
 * @param throughSeq leaves out what was stored later than that record, and may be a few records late in doing so; all when left out
 * @returns parts by run, attempt and first record
 */
export async function readPoints(
  db: Queryable,
  runIds: readonly string[],
  names: readonly string[],
  throughSeq: number = 2 ** 31 - 1,
): Promise<SeriesPart[]> {
  const { rows } = await db.query<PartRow>(
    `WITH series AS (SELECT id, run_id, name FROM metric_series WHERE run_id = ANY($1) AND name = ANY($2))
     SELECT s.run_id, 0 AS attempt, 0 AS first_seq, s.name, s.id, NULL::int AS records, NULL::int AS kind,
            NULL::bytea AS rows, NULL::bytea AS data FROM series s
     UNION ALL
     SELECT g.run_id, g.attempt, g.first_seq, s.name, s.id, g.records, get_byte(g.kinds, p.i - 1), g.rows,
            substring(g.data FROM g.offsets[p.i] + 1 FOR g.offsets[p.i + 1] - g.offsets[p.i])
     FROM series s JOIN metric_segments g ON g.run_id = s.run_id
     CROSS JOIN LATERAL (SELECT array_position(g.series_ids, s.id)) AS p(i)
     WHERE p.i IS NOT NULL AND g.first_seq <= $3
     UNION ALL
     SELECT c.run_id, c.attempt, c.first_seq, NULL, NULL, c.records, NULL, NULL, c.data FROM metric_chunks c
     WHERE c.run_id IN (SELECT run_id FROM series) AND c.first_seq <= $3
     ORDER BY run_id, attempt, first_seq`,
    [runIds, names, throughSeq],
  );
  const series = new Map(rows.flatMap(({ id, name }) => (id === null ? [] : [[id, name!] as const])));
  const wanted = new Set(series.keys());
  return rows.flatMap(({ run_id: runId, attempt, name, records, kind, rows: packed, data }): SeriesPart[] => {
    if (data === null) return [];
    if (packed !== null) {
      const values = decodeColumn(kind as ColumnKind, data, records);
      return [{ runId, attempt, name: name!, rows: decodeRows(packed, records), values }];
    }
    return decodeChunk(data, wanted).flatMap((track) =>
      track.metrics.map((id, i) => ({
        ...{ runId, attempt, name: series.get(id)! },
        ...{ rows: track.rows, values: track.columns[i]! },
      })),
    );
  });
}
