/** How fast hosts have been: multiply-accumulates a second of their recent runs, from the metrics that those have sent. */
import { networkCost } from '@mealtable/protocol/network-cost';
import type { NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import {
  type Precision,
  RunConfig,
  type TeacherSource,
  type TrainingConfig,
  teacherSize,
} from '@mealtable/protocol/run-config';
import { medianOf } from '@mealtable/protocol/statistics/moments';
import { TRAINING_FORWARDS, type Work } from '@mealtable/protocol/study-cost';
import { loadClassCounts } from '../hosts/datasets.ts';
import type { Queryable } from '../runs/summary.ts';

/** Runs that are looked at of each host, the newest ones, and points of each: the first ones, when labels are still computed. */
const RECENT_RUNS = 30;
const POINTS_OF_RUN = 200;
/** Below this share of labels found in the cache, in percent, the time for the others says something of the teachers. */
const MAX_HIT_RATE = 50;

export interface Speed {
  runId: string;
  /** `mixed` of steps that ask teachers, in which student and teachers are not told apart. */
  kind: Work['kind'] | 'mixed';
  /** Null for several. */
  network: NetworkName | null;
  inputSize: number;
  precision: Precision;
  macsPerS: number;
}

interface Point {
  images_per_s: number;
  hit_rate: number | null;
  teacher_ms: number | null;
}
interface PointRow extends Point {
  host_id: string;
  run_id: string;
  config: unknown;
}

/** Of one slot of each host; a host whose runs have sent nothing yet is not in it. */
export async function loadSpeeds(db: Queryable, hostIds: readonly string[]): Promise<Map<string, Speed[]>> {
  const { rows } = await db.query<PointRow>(
    `WITH tried AS (
       SELECT a.host_id, a.run_id, a.attempt, r.config,
              row_number() OVER (PARTITION BY a.host_id ORDER BY a.claimed_at DESC, a.run_id) AS recency
       FROM run_attempts a JOIN runs r ON r.id = a.run_id AND r.attempt = a.attempt
       WHERE a.host_id = ANY($1) AND r.config->>'task' IN ('classification', 'distillation')
         AND EXISTS (SELECT 1 FROM metric_records m WHERE m.run_id = a.run_id AND m.attempt = a.attempt)
     )
     SELECT t.host_id, t.run_id, t.config, p.images_per_s, p.hit_rate, p.teacher_ms
     FROM tried t
     CROSS JOIN LATERAL (
       SELECT max(id) FILTER (WHERE name = 'train/images_per_s') AS images,
              max(id) FILTER (WHERE name = 'labels/hit_rate') AS hits,
              max(id) FILTER (WHERE name = 'train/teacher_ms') AS teacher
       FROM metric_series WHERE run_id = t.run_id
     ) s
     CROSS JOIN LATERAL (
       SELECT m."values"[array_position(m.series_id, s.images)] AS images_per_s,
              m."values"[array_position(m.series_id, s.hits)] AS hit_rate,
              m."values"[array_position(m.series_id, s.teacher)] AS teacher_ms
       FROM metric_records m
       WHERE m.run_id = t.run_id AND m.attempt = t.attempt AND s.images = ANY(m.series_id)
       ORDER BY m.seq LIMIT $3
     ) p
     WHERE t.recency <= $2 ORDER BY t.host_id, t.recency`,
    [hostIds, RECENT_RUNS, POINTS_OF_RUN],
  );
  const runs = new Map<string, { hostId: string; config: TrainingConfig; points: Point[] }>();
  for (const row of rows) {
    const known = runs.get(row.run_id);
    if (known) known.points.push(row);
    else
      runs.set(row.run_id, {
        hostId: row.host_id,
        config: RunConfig.parse(row.config) as TrainingConfig,
        points: [row],
      });
  }
  const networks = await loadNetworks(
    db,
    [...runs.values()].flatMap(({ config }) => teachersOf(config)),
  );
  const classCounts = await loadClassCounts(db);
  const speeds = new Map<string, Speed[]>();
  for (const [runId, { hostId, config, points }] of runs) {
    const classCount = classCounts.get(config.dataset);
    // Nobody knows any more how many classes its networks have.
    if (classCount === undefined) continue;
    const found = speedsOfRun(runId, config, points, { classCount, networks });
    speeds.set(hostId, [...(speeds.get(hostId) ?? []), ...found]);
  }
  return speeds;
}

const teachersOf = (config: TrainingConfig): TeacherSource[] => (config.task === 'distillation' ? config.teachers : []);

async function loadNetworks(db: Queryable, teachers: readonly TeacherSource[]): Promise<Map<string, NetworkName>> {
  const ids = teachers.flatMap((teacher) => (teacher.kind === 'run' ? [teacher.runId] : []));
  const { rows } = await db.query<{ id: string; network: NetworkName }>(
    'SELECT id, network FROM runs WHERE id = ANY($1)',
    [ids],
  );
  return new Map(rows.map(({ id, network }) => [id, network]));
}

/**
 * The median over a run's points. Images a second are those of all that a step takes, reading images and labels included; what
 * teachers took is told apart where labels come from a cache. @returns nothing for a run whose teachers are not known any more
 */
export function speedsOfRun(
  runId: string,
  config: TrainingConfig,
  points: readonly Point[],
  { classCount, networks }: { classCount: number; networks: ReadonlyMap<string, NetworkName> },
): Speed[] {
  const teachers = teachersOf(config).map((teacher) =>
    teacher.kind === 'run' ? networks.get(teacher.runId) : KNOWN_WEIGHTS.get(teacher.weights)?.network,
  );
  const student = TRAINING_FORWARDS * networkCost(config.network, config.inputSize, classCount).macs;
  const speedOf = (kind: Speed['kind'], network: NetworkName | null, inputSize: number, speeds: number[]): Speed[] => {
    const macsPerS = medianOf(speeds.filter((speed) => Number.isFinite(speed) && speed > 0));
    return macsPerS === null ? [] : [{ runId, kind, network, inputSize, precision: config.precision, macsPerS }];
  };
  const training = (kind: Speed['kind'], macs: number, of: readonly Point[] = points) =>
    speedOf(
      kind,
      config.network,
      config.inputSize,
      of.map((p) => macs * p.images_per_s),
    );
  if (config.task === 'classification') return training('training', student);

  const size = teacherSize(config);
  const asked = teachers.map((network) => (network === undefined ? null : networkCost(network, size, classCount).macs));
  if (asked.includes(null)) return [];
  const teaching = asked.reduce<number>((sum, macs) => sum + macs!, 0);
  if (config.softLabels === undefined || config.softLabels.mode === 'online')
    return training('mixed', student + teaching);
  const batchMs = (p: Point) => (1000 * config.batchSize) / p.images_per_s;
  const trained = points.map((p) => (1000 * config.batchSize * student) / (batchMs(p) - (p.teacher_ms ?? 0)));
  const computed = points
    .filter((p) => p.teacher_ms !== null && p.hit_rate !== null && p.hit_rate <= MAX_HIT_RATE)
    .map((p) => (1000 * config.batchSize * teaching * (1 - p.hit_rate! / 100)) / p.teacher_ms!);
  const only = new Set(teachers).size === 1 ? teachers[0]! : null;
  return [
    ...speedOf('training', config.network, config.inputSize, trained),
    ...speedOf('teaching', only, size, computed),
  ];
}
