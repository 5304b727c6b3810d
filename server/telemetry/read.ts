/** Telemetry for charts: Postgres makes the means of each place in time, so that a month costs no more to send than an hour. */
import { HostReport } from '@mealtable/protocol/agent-messages';
import { AppError } from '@mealtable/protocol/errors';
import {
  GPU_QUANTITIES,
  MACHINE_QUANTITIES,
  TELEMETRY_RANGES,
  type TelemetryWindow,
  TRAINER_QUANTITIES,
} from '@mealtable/protocol/telemetry';
import type { Columns, HostTelemetryView, RunTelemetryView } from '@mealtable/protocol/telemetry-views';
import type { Queryable } from '../runs/summary.ts';
import { type Bins, makeBins } from './bins.ts';
import { readClock } from './read-clock.ts';

/** Start of a sample's place. @param bin the parameter with its length in milliseconds */
const startOf = (bin: string) => `floor(extract(epoch FROM s.at) * 1000 / ${bin}::float8)::float8 * ${bin}`;
const meansFrom = (source: string, quantities: readonly string[]) =>
  quantities.map((name) => `avg(${source}."${name}") AS "${name}"`).join(', ');
const fieldsOf = (quantities: readonly string[]) => quantities.map((name) => `"${name}" float8`).join(', ');
const GPU_ROWS = `jsonb_to_recordset(s.sample->'gpus') AS g(index int, ${fieldsOf(GPU_QUANTITIES)})`;
const TRAINER_ROWS = `jsonb_to_recordset(s.sample->'trainers')
  AS t("runId" text, attempt int, gpu int, ${fieldsOf(TRAINER_QUANTITIES)})`;

type Row = { start: number } & Record<string, number | null>;

/** @throws {AppError} not_found */
export async function readHostTelemetry(
  db: Queryable,
  hostId: string,
  window: TelemetryWindow,
): Promise<HostTelemetryView> {
  const { rows: hosts } = await db.query<{ report: unknown }>('SELECT report FROM hosts WHERE id = $1', [hostId]);
  if (!hosts[0]) throw new AppError('not_found', `There is no host ${hostId}.`);
  const { gpus } = HostReport.pick({ gpus: true }).parse(hosts[0].report);
  const { from, to, bins } = await placeWindow(db, window);
  const values = [hostId, bins.widths, new Date(from), new Date(to), bins.binMs];
  const where = 's.host_id = $1 AND s.width_s = ANY($2::int[]) AND s.at >= $3 AND s.at < $4';
  const machine = await db.query<Row>(
    `SELECT ${startOf('$5')} AS start, ${meansFrom('m', MACHINE_QUANTITIES)}
     FROM host_samples s, jsonb_to_record(s.sample->'machine') AS m(${fieldsOf(MACHINE_QUANTITIES)})
     WHERE ${where} GROUP BY 1`,
    values,
  );
  const devices = await db.query<Row & { index: number }>(
    `SELECT ${startOf('$5')} AS start, g.index, ${meansFrom('g', GPU_QUANTITIES)}
     FROM host_samples s, ${GPU_ROWS} WHERE ${where} GROUP BY 1, 2`,
    values,
  );
  const indices = [...new Set(devices.rows.map(({ index }) => index))].sort((a, b) => a - b);
  return {
    binMs: bins.binMs,
    at: bins.at,
    machine: toColumns(bins, machine.rows, MACHINE_QUANTITIES),
    gpus: indices.map((index) => ({
      index,
      name: gpus.find((gpu) => gpu.index === index)?.name ?? null,
      columns: toColumns(
        bins,
        devices.rows.filter((row) => row.index === index),
        GPU_QUANTITIES,
      ),
    })),
  };
}

/** From the first attempt's beginning to the last one's end, or to now. @throws {AppError} not_found */
export async function readRunTelemetry(db: Queryable, runId: string): Promise<RunTelemetryView> {
  const { rows: spans } = await db.query<{ from: Date | null; to: Date | null; known: boolean }>(
    `SELECT min(a.claimed_at) AS "from", max(COALESCE(a.ended_at, now())) AS "to", EXISTS (SELECT 1 FROM runs WHERE id = $1) AS known
     FROM run_attempts a WHERE a.run_id = $1`,
    [runId],
  );
  const { from, to, known } = spans[0]!;
  if (!known) throw new AppError('not_found', `There is no run ${runId}.`);
  if (!from || !to) return { binMs: 0, at: [], trainer: {}, gpu: {} };
  const bins = makeBins(from.getTime(), Math.max(to.getTime(), from.getTime() + 1), await readClock(db));
  const { rows } = await db.query<Row>(
    `SELECT ${startOf('$3')} AS start, ${meansFrom('t', ['cpuPercent', 'rssBytes'])}, ${meansFrom('g', GPU_QUANTITIES)}
     FROM run_attempts a
     JOIN host_samples s ON s.host_id = a.host_id AND s.width_s = ANY($2::int[])
       AND s.at >= a.claimed_at - interval '1 minute' AND s.at <= COALESCE(a.ended_at, now()) + interval '1 minute'
     CROSS JOIN ${TRAINER_ROWS}
     LEFT JOIN ${GPU_ROWS} ON g.index = t.gpu
     WHERE a.run_id = $1 AND t."runId" = a.run_id AND t.attempt = a.attempt
     GROUP BY 1`,
    [runId, bins.widths, bins.binMs],
  );
  return {
    binMs: bins.binMs,
    at: bins.at,
    trainer: toColumns(bins, rows, TRAINER_QUANTITIES),
    gpu: toColumns(bins, rows, GPU_QUANTITIES),
  };
}

/** A range ends at the database's now, whose clock the samples have. */
async function placeWindow(db: Queryable, window: TelemetryWindow): Promise<{ from: number; to: number; bins: Bins }> {
  const now = await readClock(db);
  const { from, to } = 'range' in window ? { from: now - TELEMETRY_RANGES[window.range], to: now } : window;
  return { from, to, bins: makeBins(from, to, now) };
}

function toColumns<Q extends string>(bins: Bins, rows: readonly Row[], quantities: readonly Q[]): Columns<Q> {
  const columns: Columns<Q> = {};
  for (const quantity of quantities) {
    const column = new Array<number | null>(bins.at.length).fill(null);
    for (const row of rows) {
      const index = bins.indexOf.get(row.start);
      if (index !== undefined) column[index] = row[quantity] ?? null;
    }
    if (column.some((value) => value !== null)) columns[quantity] = column;
  }
  return columns;
}
