/** The summary of each metric of runs: count, last, lowest and highest value, with where they were. */
import type { MetricSummary } from '@mealtable/protocol/chart-data';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import type { Queryable } from '../../runs/summary.ts';

interface SummaryRow {
  run_id: string;
  name: string;
  points: number;
  last: number;
  last_step: number;
  last_epoch: number;
  min: number | null;
  min_step: number | null;
  min_epoch: number | null;
  max: number | null;
  max_step: number | null;
  max_epoch: number | null;
}

const toWire = (value: number | null) => (value === null ? null : toWireNumber(value));

/** @returns by run, metrics by name; runs without metrics are left out */
export async function loadSummaries(
  db: Queryable,
  runIds: readonly string[],
): Promise<Record<string, MetricSummary[]>> {
  const ordered = (column: string, by: string) => `(array_agg(${column} ORDER BY ${by}))[1]`;
  const numbers = `FILTER (WHERE value <> 'NaN')`;
  const extreme = (column: string, order: string) =>
    `(array_agg(${column} ORDER BY value ${order}, step, attempt, seq) ${numbers})[1]`;
  const { rows } = await db.query<SummaryRow>(
    `WITH point AS (
       SELECT s.run_id, s.name, m.attempt, m.seq, m.step, m.epoch, m."values"[array_position(m.series_id, s.id)] AS value
       FROM metric_series s JOIN metric_records m ON m.run_id = s.run_id AND s.id = ANY(m.series_id)
       WHERE s.run_id = ANY($1))
     SELECT run_id, name, count(*)::int AS points,
            ${ordered('value', 'step DESC, attempt DESC, seq DESC')} AS last,
            ${ordered('step', 'step DESC, attempt DESC, seq DESC')} AS last_step,
            ${ordered('epoch', 'step DESC, attempt DESC, seq DESC')} AS last_epoch,
            ${extreme('value', '')} AS min, ${extreme('step', '')} AS min_step, ${extreme('epoch', '')} AS min_epoch,
            ${extreme('value', 'DESC')} AS max, ${extreme('step', 'DESC')} AS max_step,
            ${extreme('epoch', 'DESC')} AS max_epoch
     FROM point GROUP BY run_id, name ORDER BY run_id, name`,
    [runIds],
  );
  const byRun: Record<string, MetricSummary[]> = {};
  for (const row of rows) {
    byRun[row.run_id] ??= [];
    byRun[row.run_id]!.push({
      ...{ name: row.name, points: row.points },
      ...{ last: toWireNumber(row.last), lastStep: row.last_step, lastEpoch: row.last_epoch },
      ...{ min: toWire(row.min), minStep: row.min_step, minEpoch: row.min_epoch },
      ...{ max: toWire(row.max), maxStep: row.max_step, maxEpoch: row.max_epoch },
    });
  }
  return byRun;
}
