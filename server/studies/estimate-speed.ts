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
import { readPoints } from '../metrics/read-points.ts';
import type { Queryable } from '../runs/summary.ts';

/** Runs that are looked at of each host, the newest ones, and points of each: the first ones, when labels are still computed. */
const RECENT_RUNS = 30;
const POINTS_OF_RUN = 200;
/** Records among which those are. */
const FIRST_SEQS = 2_000;
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
interface TriedRow {
  host_id: string;
  run_id: string;
  attempt: number;
  config: unknown;
}

/** Of one slot of each host; a host whose runs have sent nothing yet is not in it. */
export async function loadSpeeds(db: Queryable, hostIds: readonly string[]): Promise<Map<string, Speed[]>> {
  const { rows } = await db.query<TriedRow>(
    `SELECT * FROM (
       SELECT a.host_id, a.run_id, a.attempt, r.config,
              row_number() OVER (PARTITION BY a.host_id ORDER BY a.claimed_at DESC, a.run_id) AS recency
       FROM run_attempts a JOIN runs r ON r.id = a.run_id AND r.attempt = a.attempt
       WHERE a.host_id = ANY($1) AND r.config->>'task' IN ('classification', 'distillation')
         AND EXISTS (SELECT 1 FROM metric_chunks WHERE run_id = a.run_id AND attempt = a.attempt
                     UNION ALL SELECT 1 FROM metric_segments WHERE run_id = a.run_id AND attempt = a.attempt)) t
     WHERE recency <= $2 ORDER BY host_id, recency`,
    [hostIds, RECENT_RUNS],
  );
  const found = await loadFirstPoints(db, rows);
  const runs = rows.flatMap(({ run_id: runId, host_id: hostId, config }) => {
    const points = found.get(runId);
    return points ? [{ runId, hostId, config: RunConfig.parse(config) as TrainingConfig, points }] : [];
  });
  const networks = await loadNetworks(
    db,
    runs.flatMap(({ config }) => teachersOf(config)),
  );
  const classCounts = await loadClassCounts(db);
  const speeds = new Map<string, Speed[]>();
  for (const { runId, hostId, config, points } of runs) {
    const classCount = classCounts.get(config.dataset);
    // Nobody knows any more how many classes its networks have.
    if (classCount === undefined) continue;
    const ofRun = speedsOfRun(runId, config, points, { classCount, networks });
    speeds.set(hostId, [...(speeds.get(hostId) ?? []), ...ofRun]);
  }
  return speeds;
}

const IMAGES = 'train/images_per_s';
const HITS = 'labels/hit_rate';
const TEACHER = 'train/teacher_ms';

/** By run, what its attempt sent first. */
async function loadFirstPoints(db: Queryable, tried: readonly TriedRow[]): Promise<Map<string, Point[]>> {
  const attempts = new Map(tried.map(({ run_id, attempt }) => [run_id, attempt]));
  const parts = await readPoints(db, [...attempts.keys()], [IMAGES, HITS, TEACHER], FIRST_SEQS);
  const runs = new Map<string, Map<number, Record<string, number>>>();
  for (const { runId, name, attempt, rows, values } of parts) {
    if (attempt !== attempts.get(runId)) continue;
    const records = runs.get(runId) ?? new Map<number, Record<string, number>>();
    runs.set(runId, records);
    for (const [i, value] of values.entries())
      records.set(rows.seq[i]!, { ...records.get(rows.seq[i]!), [name]: value });
  }
  return new Map(
    [...runs].map(([runId, records]) => [
      runId,
      [...records]
        .filter(([, values]) => values[IMAGES] !== undefined)
        .sort(([a], [b]) => a - b)
        .slice(0, POINTS_OF_RUN)
        .map(([, values]) => ({
          images_per_s: values[IMAGES]!,
          hit_rate: values[HITS] ?? null,
          teacher_ms: values[TEACHER] ?? null,
        })),
    ]),
  );
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
