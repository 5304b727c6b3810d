/**
 * Where runs may go: the conditions of the claim, one by one, in SQL. Whoever says why a run waits asks the very same
 * questions (waiting.ts). In all of them `r` is a run and `h` a row of PLACEMENT_HOSTS.
 */
import { ACTIVE_STATUSES } from '@mealtable/protocol/statuses';
import { HOST_STATE } from '../hosts/host-state.ts';

const IS_ACTIVE = `IN ('${ACTIVE_STATUSES.join("', '")}')`;

const names = (field: string) => `ARRAY(SELECT jsonb_array_elements_text(h.report->'${field}'))`;
/** Trainable is what `canTrainOn` says it is. */
const datasets = (more: string) => `ARRAY(
  SELECT d->>'name' FROM jsonb_array_elements(h.report->'datasets') d WHERE jsonb_array_length(d->'problems') = 0${more})`;
const GPUS = `jsonb_array_length(h.report->'gpus')`;
const SLOTS = `(h.report->>'slots')::int`;
const SLOTS_OF_A_GPU = `ceil(${SLOTS}::numeric / ${GPUS})`;

/** Bytes that a run can count on: its share of the smallest GPU, or of the host's memory where there is none. */
export const SLOT_MEMORY = `
  CASE WHEN ${GPUS} = 0 THEN (h.report->>'memoryBytes')::numeric / ${SLOTS}
       ELSE (SELECT min((g->>'memoryBytes')::numeric) FROM jsonb_array_elements(h.report->'gpus') g) / ${SLOTS_OF_A_GPU} END`;

/** A GPU that another program computes on has one sentence in `problems`, and none of its slots is offered. */
const FREE_SLOTS = `
  GREATEST(0, ${SLOTS} - (SELECT count(*) FROM runs a WHERE a.host_id = h.id AND a.status ${IS_ACTIVE})
              - CASE WHEN ${GPUS} = 0 THEN 0
                     ELSE jsonb_array_length(COALESCE(h.report->'problems', '[]')) * ${SLOTS_OF_A_GPU} END)::int`;

/** Hosts as placement sees them. Each report is read once, not once for every run. */
export const PLACEMENT_HOSTS = `
  SELECT h.id, h.name, h.agent_version, h.draining_at, h.resting_until, h.rest_reason,
         ${HOST_STATE} = 'online' AS online, ${FREE_SLOTS} AS free_slots, ${SLOT_MEMORY} AS slot_memory,
         h.labels || ${names('labels')} AS labels,
         ${datasets('')} AS evaluable, ${datasets(` AND (d->>'trainCount')::int > 0`)} AS trainable,
         CASE WHEN h.report ? 'weights' THEN ${names('weights')} END AS weights
  FROM hosts h`;

/** Of a run alone: it is queued, nobody paused it, and all that it needs has succeeded. */
export const IS_PAUSED = 'r.held_at IS NOT NULL';
export const NEEDS_RUNS = `EXISTS (
  SELECT 1 FROM run_dependencies d JOIN runs n ON n.id = d.depends_on_id WHERE d.run_id = r.id AND n.status <> 'succeeded')`;
export const READY_RUNS = `
  SELECT r.id, r.study_id, r.role, r.dataset, r.priority, r.created_at, r.required_labels, r.required_memory, r.config
  FROM runs r WHERE r.status = 'queued' AND NOT (${IS_PAUSED}) AND NOT ${NEEDS_RUNS}`;

/** Published weights that the run begins with or asks. */
export const PUBLISHED_WEIGHTS = `ARRAY(SELECT jsonb_path_query(r.config, 'strict $.**.weights') #>> '{}')`;

/**
 * Why a host does not take a run, in the order in which people would mend it: the later the first hit, the nearer the host is to
 * taking the run.
 */
export const BLOCKS = ['dataset', 'labels', 'memory', 'weights', 'refused', 'draining', 'resting'] as const;
export type Block = (typeof BLOCKS)[number];
export const BLOCKS_SQL: Record<Block, string> = {
  dataset: `NOT r.dataset = ANY(CASE WHEN r.role = 'evaluation' THEN h.evaluable ELSE h.trainable END)`,
  labels: 'NOT r.required_labels <@ h.labels',
  memory: 'r.required_memory > h.slot_memory',
  // Older agents do not say what they have: they are asked.
  weights: `h.weights IS NOT NULL AND NOT ${PUBLISHED_WEIGHTS} <@ h.weights`,
  refused: `EXISTS (SELECT 1 FROM run_refusals f
                    WHERE f.run_id = r.id AND f.host_id = h.id AND f.agent_version = h.agent_version)`,
  draining: 'h.draining_at IS NOT NULL',
  resting: 'h.resting_until > now()',
};
/** A block that cannot be decided is none: `required_memory` may be null. */
const FITS = BLOCKS.map((block) => `(${BLOCKS_SQL[block]}) IS NOT TRUE`).join(' AND ');
/** The number of the first block that hits, or BLOCKS.length where the host takes the run. */
export const FIRST_BLOCK = `CASE ${BLOCKS.map((block, i) => `WHEN ${BLOCKS_SQL[block]} THEN ${i}`).join(' ')} ELSE ${BLOCKS.length} END`;

/** Studies with a limit, and how many more of their runs may be active. */
export const STUDY_ROOM = `
  SELECT s.id AS study_id, s.max_concurrent,
         (s.max_concurrent - (SELECT count(*) FROM runs a WHERE a.study_id = s.id AND a.status ${IS_ACTIVE}))::int AS room
  FROM studies s WHERE s.max_concurrent IS NOT NULL`;

/** Priority, then age, which within a study is the order of its table: teachers first. */
export const queueOrder = (alias: string) => `${alias}.priority DESC, ${alias}.created_at, ${alias}.id`;

/**
 * SQL: the runs that host `h` may take, unordered, from the CTEs `ready` and `room`. Of a study with a limit only the first so many
 * are among them.
 * @param and one more condition on `r`
 */
export const fittingRuns = (and = '') => `
  SELECT fitting.id, fitting.priority, fitting.created_at FROM (
    SELECT r.id, r.priority, r.created_at, room.room,
           row_number() OVER (PARTITION BY r.study_id ORDER BY ${queueOrder('r')}) AS place
    FROM ready r LEFT JOIN room ON room.study_id = r.study_id WHERE ${FITS}${and}
  ) fitting WHERE fitting.room IS NULL OR fitting.place <= fitting.room`;
