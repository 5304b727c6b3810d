/** A chart's series, all of them as of one moment. */
import type { ChartReply, ChartRequest, ChartSeries } from '@mealtable/protocol/chart-data';
import type { RecordCursor } from '@mealtable/protocol/views';
import type pg from 'pg';
import type { Queryable } from '../../runs/summary.ts';
import { WIDTHS } from '../codec/rollups.ts';
import { stepRange } from '../codec/segment.ts';
import { inSnapshot } from '../snapshot.ts';
import { bucketWidth, type Entries, toBuckets, toRawColumns } from './fold-series.ts';
import { orderParts } from './order-parts.ts';
import {
  findSegmentParts,
  readChunkPoints,
  readSegmentPoints,
  readSegmentRollups,
  type SegmentPart,
  type StepRange,
} from './read-parts.ts';

/** What the series hold and how far they reach belong together, so both are read from one snapshot. */
export function readChart(pool: pg.Pool, request: ChartRequest): Promise<ChartReply> {
  return inSnapshot(pool, async (db) => {
    const series = await readSeries(db, request);
    return { series, through: await readThrough(db, request.runs) };
  });
}

/** A run without records has 0, 0: everything that comes is to be added. */
async function readThrough(db: Queryable, runs: readonly string[]): Promise<Record<string, RecordCursor>> {
  const newest = (table: string) =>
    `(SELECT attempt, last_seq FROM ${table} WHERE run_id = r.id
      AND attempt = (SELECT max(attempt) FROM ${table} WHERE run_id = r.id) ORDER BY last_seq DESC LIMIT 1)`;
  const { rows } = await db.query<{ id: string; attempt: number | null; seq: number | null }>({
    name: 'read-chart-through',
    text: `SELECT r.id, m.attempt, m.last_seq AS seq FROM runs r LEFT JOIN LATERAL (
             SELECT * FROM (${newest('metric_chunks')} UNION ALL ${newest('metric_segments')}) AS each
             ORDER BY attempt DESC, last_seq DESC LIMIT 1) m ON true
           WHERE r.id = ANY($1)`,
    values: [runs],
  });
  return Object.fromEntries(rows.map(({ id, attempt, seq }) => [id, { attempt: attempt ?? 0, seq: seq ?? 0 }]));
}

/** A series on its way: what was read of it, and the segments that were not. */
interface Reading {
  runId: string;
  metric: string;
  points: Entries[];
  unread: SegmentPart[];
}

const countOf = (parts: readonly Entries[]) => parts.reduce((sum, { step }) => sum + step.length, 0);

async function readSeries(db: Queryable, request: ChartRequest): Promise<ChartSeries[]> {
  const { runs, metrics, buckets } = request;
  const range: StepRange = { from: request.from ?? 0, to: request.to ?? 2 ** 31 - 1 };
  const readings = await findSeries(db, runs, metrics);
  const ids = [...readings.keys()];
  if (ids.length === 0) return [];
  const runIds = [...new Set([...readings.values()].map(({ runId }) => runId))];
  for (const [id, points] of await readChunkPoints(db, ids, runIds, range)) readings.get(id)!.points.push(...points);
  const parts = await findSegmentParts(db, ids, runIds, range);
  // Of a segment that reaches beyond the range only the points tell what is within.
  const isWithin = (part: SegmentPart) => part.first_step >= range.from && part.last_step <= range.to;
  await readInto(
    db,
    readings,
    parts.filter((part) => !isWithin(part)),
    range,
  );
  for (const part of parts.filter(isWithin)) readings.get(part.id)!.unread.push(part);

  const all = [...readings.values()];
  const width = bucketWidth(stepsOf(all), buckets);
  const totals = new Map(
    all.map((one) => [one, countOf(one.points) + one.unread.reduce((sum, { records }) => sum + records, 0)]),
  );
  const isRaw = (one: Reading) => totals.get(one)! <= buckets;
  const levels = all.flatMap((one) =>
    one.unread.map((part) => ({ ...part, level: isRaw(one) ? -1 : levelFor(part, width) })),
  );
  await readInto(
    db,
    readings,
    levels.filter(({ level }) => level === -1),
    range,
  );
  const rolled = levels.filter(({ level }) => level >= 0);
  for (const [i, rollups] of (await readSegmentRollups(db, rolled)).entries())
    readings.get(rolled[i]!.id)!.points.push(rollups);

  const order = new Map(
    runs.flatMap((runId, i) => metrics.map((metric, j) => [`${runId} ${metric}`, [i, j] as const])),
  );
  const placeOf = ({ runId, metric }: Reading) => order.get(`${runId} ${metric}`)!;
  return all
    .filter((one) => totals.get(one)! > 0)
    .sort((a, b) => placeOf(a)[0] - placeOf(b)[0] || placeOf(a)[1] - placeOf(b)[1])
    .map((one) => {
      const ordered = orderParts(one.points);
      const columns = isRaw(one) ? toRawColumns(ordered) : toBuckets(ordered, width);
      return { runId: one.runId, metric: one.metric, isRaw: isRaw(one), points: totals.get(one)!, ...columns };
    });
}

async function findSeries(
  db: Queryable,
  runs: readonly string[],
  metrics: readonly string[],
): Promise<Map<number, Reading>> {
  const { rows } = await db.query<{ id: number; run_id: string; name: string }>(
    'SELECT id, run_id, name FROM metric_series WHERE run_id = ANY($1) AND name = ANY($2)',
    [runs, metrics],
  );
  return new Map(rows.map(({ id, run_id, name }) => [id, { runId: run_id, metric: name, points: [], unread: [] }]));
}

async function readInto(
  db: Queryable,
  readings: ReadonlyMap<number, Reading>,
  parts: readonly SegmentPart[],
  range: StepRange,
): Promise<void> {
  for (const [i, points] of (await readSegmentPoints(db, parts, range)).entries())
    readings.get(parts[i]!.id)!.points.push(points);
}

/** Steps from the first to the last of all series together, so that they share their buckets. */
function stepsOf(readings: readonly Reading[]): number {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { points, unread } of readings) {
    for (const { step } of points) {
      if (step.length === 0) continue;
      const { firstStep, lastStep } = stepRange(step);
      first = Math.min(first, firstStep);
      last = Math.max(last, lastStep);
    }
    for (const { first_step, last_step } of unread) {
      first = Math.min(first, first_step);
      last = Math.max(last, last_step);
    }
  }
  return Math.max(1, last - first + 1);
}

/** Rollups that are wider than a bucket by no more than this are fine enough: reading points instead would take ten times as long. */
const COARSER = 1.5;

/** The coarsest rollups that are about as wide as a bucket at most; -1 where only the points are fine enough. */
function levelFor({ records, first_step, last_step, levels }: SegmentPart, width: number): number {
  const pointsOfBucket = (records / (last_step - first_step + 1)) * width;
  let level = levels - 1;
  while (level >= 0 && WIDTHS[level]! > COARSER * pointsOfBucket) level--;
  return level;
}
