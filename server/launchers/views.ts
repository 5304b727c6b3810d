/** LauncherView and SlurmJobView: rows, with what the desk knows of them. */
import type { LauncherView, SlurmJobView } from '@mealtable/protocol/launcher-views';
import { HOST_STATE } from '../hosts/host-state.ts';
import { fingerprintOf } from '../launch/shell/host-key.ts';
import type { Queryable } from '../runs/summary.ts';
import type { LauncherDesk } from './desk.ts';
import type { LauncherRow } from './launcher-rows.ts';
import { IS_BOUND } from './slurm/job-rows.ts';

interface Facts {
  hosts: { id: string; name: string; isOnline: boolean }[] | null;
  waiting: number;
  running: number;
  unknown: number;
  bound: number;
}

export async function describeLaunchers(desk: LauncherDesk, rows: readonly LauncherRow[]): Promise<LauncherView[]> {
  const facts = await loadFacts(
    desk.hub.pool,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => describe(desk, row, facts.get(row.id)!));
}

async function loadFacts(db: Queryable, ids: string[]): Promise<Map<string, Facts>> {
  const { rows } = await db.query<Facts & { id: string }>(
    `SELECT l.id,
       (SELECT jsonb_agg(jsonb_build_object('id', h.id, 'name', h.name, 'isOnline', ${HOST_STATE} = 'online') ORDER BY h.name)
        FROM hosts h WHERE h.launcher_id = l.id AND l.kind <> 'slurm') AS hosts,
       (SELECT count(*)::int FROM slurm_jobs j WHERE j.launcher_id = l.id AND j.state IN ('submitting', 'waiting')) AS waiting,
       (SELECT count(*)::int FROM slurm_jobs j WHERE j.launcher_id = l.id AND j.state = 'running') AS running,
       (SELECT count(*)::int FROM slurm_jobs j WHERE j.launcher_id = l.id AND j.state = 'unknown') AS unknown,
       (SELECT count(*)::int FROM runs r WHERE r.status = 'queued' AND ${IS_BOUND}) AS bound
     FROM launchers l WHERE l.id = ANY($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function describe(desk: LauncherDesk, row: LauncherRow, facts: Facts): LauncherView {
  const { settings } = row;
  const { task, fault, agent } = desk.state(row.id);
  const { url, isLoopback } = desk.hubUrl(row);
  const hostKey = settings.kind === 'local' ? undefined : settings.ssh?.hostKey;
  const isResting = row.restingUntil !== null && row.restingUntil > desk.hub.now();
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    settings,
    fromConfig: row.fromConfig,
    createdAt: row.createdAt.getTime(),
    task,
    fault: fault && { code: fault.code, message: fault.message },
    hostKeyFingerprint: hostKey === undefined ? null : fingerprintOf(hostKey),
    hubUrl: url,
    isLoopback,
    agent:
      agent === null || agent.state === 'waiting'
        ? null
        : { state: agent.state, node: agent.node, reason: agent.reason, seenAt: agent.seenAt.getTime() },
    hosts: facts.hosts ?? [],
    jobs: { waiting: facts.waiting, running: facts.running, unknown: facts.unknown },
    boundRuns: facts.bound,
    rest: isResting ? { until: row.restingUntil!.getTime(), reason: row.restReason ?? '' } : null,
  };
}

/** Open jobs first, then the latest that ended. */
export async function listJobs(db: Queryable, launcherId: string, limit: number): Promise<SlurmJobView[]> {
  const { rows } = await db.query<{
    token: string;
    run_id: string;
    label: string;
    seed: number;
    job_id: string | null;
    state: SlurmJobView['state'];
    reason: string | null;
    node: string | null;
    end_cause: string | null;
    exit_code: number | null;
    signal: string | null;
    restarts: number;
    has_attached: boolean;
    submitted_at: Date;
    ended_at: Date | null;
  }>(
    `SELECT j.token, j.run_id, v.label, r.seed, j.job_id, j.state, j.reason, j.node, j.end_cause, j.exit_code, j.signal,
            j.restarts, j.host_id IS NOT NULL AS has_attached, j.submitted_at, j.ended_at
     FROM slurm_jobs j JOIN runs r ON r.id = j.run_id JOIN variants v ON v.id = r.variant_id
     WHERE j.launcher_id = $1 ORDER BY j.ended_at DESC NULLS FIRST, j.submitted_at DESC LIMIT $2`,
    [launcherId, limit],
  );
  return rows.map((row) => ({
    token: row.token,
    runId: row.run_id,
    runLabel: `${row.label}, seed ${row.seed}`,
    jobId: row.job_id,
    state: row.state,
    reason: row.reason,
    node: row.node,
    endCause: row.end_cause,
    exitCode: row.exit_code,
    signal: row.signal,
    restarts: row.restarts,
    hasAttached: row.has_attached,
    submittedAt: row.submitted_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
  }));
}
