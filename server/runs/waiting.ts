/** Why queued runs wait: the pure rule over facts, and the facts by the very conditions of the claim. */
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { ClusterWait, QueuePage, WaitReason } from '@mealtable/protocol/views';
import { IS_OF_JOB } from '../hosts/host-state.ts';
import { CLUSTER_WAIT } from '../launchers/slurm/cluster-wait.ts';
import {
  BLOCKS,
  type Block,
  FIRST_BLOCK,
  fittingRuns,
  IS_PAUSED,
  PLACEMENT_HOSTS,
  PUBLISHED_WEIGHTS,
  queueOrder,
  READY_RUNS,
  STUDY_ROOM,
} from './placement.ts';
import { loadRunSummaries, type Queryable } from './summary.ts';

export interface WaitFacts {
  studyId: string;
  /** Milliseconds since 1970; null for a run that nobody paused. */
  pausedAt: number | null;
  pausedBy: string;
  needs: { runId: string; label: string; status: RunStatus }[];
  dataset: string;
  forTraining: boolean;
  labels: string[];
  memoryBytes: number | null;
  weights: string[];
  hosts: {
    known: number;
    online: number;
    /** Names of hosts that would take the run if they were online. */
    away: string[];
    /** The hosts online that are nearest to taking it, and what keeps them; null where one is that takes it. */
    nearest: { block: Block; hosts: NearHost[] } | null;
  };
  /** Of a study with a limit: runs that may be active at once, and whether those before this one use that up. */
  study: { limit: number; isFull: boolean } | null;
  /** Of a run that asks for a cluster: its hosts are jobs, which other hosts stand beside. */
  cluster?: ClusterWait | null;
  /** A host that asked now would get it. */
  isNext: boolean;
}
export interface NearHost {
  name: string;
  slotMemory: number;
  restingUntil: number | null;
  restReason: string | null;
  refusal: string | null;
}

/** @returns the decisive reason first; none where the next host that asks takes the run */
export function explainWaiting(facts: WaitFacts): WaitReason[] {
  if (facts.isNext) return [];
  const reasons = explainBlocks(facts);
  return reasons.length > 0 ? reasons : [{ kind: 'no_slot' }];
}

/** What keeps a run from being taken whatever slots are free. */
export function explainBlocks(facts: WaitFacts): WaitReason[] {
  const { pausedAt, pausedBy, needs, study, studyId, cluster } = facts;
  const host: WaitReason | null = cluster ? { kind: 'cluster', ...cluster } : explainHosts(facts);
  return [
    ...(pausedAt === null ? [] : [{ kind: 'paused', by: pausedBy, at: pausedAt } as const]),
    ...(needs.length === 0 ? [] : [{ kind: 'needs_runs', runs: needs } as const]),
    ...(host === null ? [] : [host]),
    ...(study?.isFull ? [{ kind: 'study_limit', limit: study.limit, studyId } as const] : []),
  ];
}

function explainHosts({ hosts, ...run }: WaitFacts): WaitReason | null {
  const { known, online, away, nearest } = hosts;
  if (online === 0) return { kind: 'no_host', known, away };
  if (nearest === null) return null;
  const names = nearest.hosts.map(({ name }) => name);
  switch (nearest.block) {
    case 'dataset':
      return { kind: 'no_dataset', dataset: run.dataset, forTraining: run.forTraining, away };
    case 'labels':
      return { kind: 'no_labels', labels: run.labels, away };
    case 'memory': {
      const most = Math.max(...nearest.hosts.map(({ slotMemory }) => slotMemory));
      return { kind: 'no_memory', bytes: run.memoryBytes ?? 0, most, away };
    }
    case 'weights':
      return { kind: 'no_weights', weights: run.weights, away };
    case 'refused':
      return { kind: 'refused', hosts: nearest.hosts.map(({ name, refusal }) => ({ name, reason: refusal ?? '' })) };
    case 'draining':
      return { kind: 'draining', hosts: names };
    case 'resting':
      return {
        kind: 'resting',
        hosts: nearest.hosts.map(({ name, restingUntil, restReason }) => ({
          name,
          until: restingUntil ?? 0,
          reason: restReason ?? '',
        })),
      };
  }
}

/** Hosts that a reason names. */
const NAMED_HOSTS = 5;

const WAITING = `
  WITH h AS MATERIALIZED (${PLACEMENT_HOSTS} WHERE NOT ${IS_OF_JOB}), ready AS MATERIALIZED (${READY_RUNS}), room AS MATERIALIZED (${STUDY_ROOM}),
  next AS MATERIALIZED (
    SELECT DISTINCT n.id FROM h CROSS JOIN LATERAL (
      SELECT f.id FROM (${fittingRuns()}) f ORDER BY ${queueOrder('f')} LIMIT h.free_slots
    ) n WHERE h.online AND h.free_slots > 0
  ), place AS (
    SELECT ready.id, row_number() OVER (PARTITION BY ready.study_id ORDER BY ${queueOrder('ready')}) AS place
    FROM ready JOIN room ON room.study_id = ready.study_id
  ), queue AS (
    SELECT r.id, row_number() OVER (ORDER BY ${IS_PAUSED}, ${queueOrder('r')}) AS position
    FROM runs r WHERE r.status = 'queued'
  ), page AS (
    SELECT * FROM queue WHERE $3::text IS NULL OR id = $3 ORDER BY position LIMIT $1 OFFSET $2
  )
  SELECT r.id, p.position::int AS position, r.study_id, r.held_at, r.dataset, r.role <> 'evaluation' AS for_training,
         r.required_labels, r.required_memory, ${PUBLISHED_WEIGHTS} AS weights, next.id IS NOT NULL AS is_next,
         room.max_concurrent, COALESCE(place.place > room.room, room.room <= 0) AS is_full,
         (SELECT count(*)::int FROM h) AS known, (SELECT count(*)::int FROM h WHERE h.online) AS online,
         ARRAY(SELECT h.name FROM h WHERE NOT h.online AND ${FIRST_BLOCK} >= ${BLOCKS.indexOf('draining')}
               ORDER BY h.name LIMIT ${NAMED_HOSTS}) AS away,
         nearest.block, nearest.hosts, cluster.wait
  FROM page p JOIN runs r ON r.id = p.id
  LEFT JOIN next ON next.id = r.id LEFT JOIN room ON room.study_id = r.study_id LEFT JOIN place ON place.id = r.id
  LEFT JOIN LATERAL (
    SELECT b.block, jsonb_path_query_array(
             jsonb_agg(jsonb_build_object('name', b.name, 'slotMemory', b.slot_memory,
                       'restingUntil', extract(epoch FROM b.resting_until) * 1000, 'restReason', b.rest_reason,
                       'refusal', (SELECT f.reason FROM run_refusals f WHERE f.run_id = r.id AND f.host_id = b.id))
                       ORDER BY b.slot_memory DESC, b.name), '$[0 to ${NAMED_HOSTS - 1}]') AS hosts
    FROM (SELECT h.*, ${FIRST_BLOCK} AS block FROM h WHERE h.online) b
    GROUP BY b.block ORDER BY b.block DESC LIMIT 1
  ) nearest ON true LEFT JOIN LATERAL (${CLUSTER_WAIT}) cluster ON true
  ORDER BY p.position`;

interface WaitingRow {
  id: string;
  position: number;
  study_id: string;
  held_at: Date | null;
  dataset: string;
  for_training: boolean;
  required_labels: string[];
  required_memory: string | null;
  weights: string[];
  is_next: boolean;
  max_concurrent: number | null;
  is_full: boolean | null;
  known: number;
  online: number;
  away: string[];
  block: number | null;
  hosts: NearHost[] | null;
  wait: ClusterWait | null;
}

/** @param which a page of the whole queue in its order, or one run, which is no item when it is not queued */
export async function loadQueue(
  db: Queryable,
  which: { offset: number; limit: number } | { runId: string },
): Promise<QueuePage> {
  const [offset, limit, runId] = 'runId' in which ? [0, 1, which.runId] : [which.offset, which.limit, null];
  const { rows } = await db.query<WaitingRow>(WAITING, [limit, offset, runId]);
  const { rows: counts } = await db.query<{ total: number; paused: number }>(
    `SELECT count(*)::int AS total, count(r.held_at)::int AS paused FROM runs r WHERE r.status = 'queued'`,
  );
  const summaries = new Map(
    (await loadRunSummaries(db, { runIds: rows.map((row) => row.id) })).map((run) => [run.id, run]),
  );
  const items = rows.flatMap((row) => {
    const run = summaries.get(row.id);
    // Taken between the two queries: it waits no more.
    if (run?.status !== 'queued') return [];
    const facts = toFacts(row, run.waitingFor, run.pausedBy);
    return [{ run, position: row.held_at === null ? row.position : null, reasons: explainWaiting(facts) }];
  });
  return { total: counts[0]?.total ?? 0, paused: counts[0]?.paused ?? 0, items };
}

function toFacts(row: WaitingRow, needs: WaitFacts['needs'], pausedBy: string): WaitFacts {
  const block = row.block === null ? undefined : BLOCKS[row.block];
  return {
    studyId: row.study_id,
    pausedAt: row.held_at?.getTime() ?? null,
    pausedBy,
    needs,
    dataset: row.dataset,
    forTraining: row.for_training,
    labels: row.required_labels,
    memoryBytes: row.required_memory === null ? null : Number(row.required_memory),
    weights: row.weights,
    hosts: {
      known: row.known,
      online: row.online,
      away: row.away,
      nearest: block === undefined ? null : { block, hosts: row.hosts ?? [] },
    },
    study: row.max_concurrent === null ? null : { limit: row.max_concurrent, isFull: row.is_full ?? false },
    cluster: row.wait,
    isNext: row.is_next,
  };
}
