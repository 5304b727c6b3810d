/** HostView: the hosts page's rows, with what each host is doing. */
import { HostReport } from '@mealtable/protocol/agent-messages';
import type { HostView } from '@mealtable/protocol/views';
import { SLOT_MEMORY } from '../runs/placement.ts';
import { loadRunSummaries, type Queryable, toMillis } from '../runs/summary.ts';
import { HOST_STATE, IS_OF_JOB } from './host-state.ts';

/** Hosts that are here first, then by name. */
export async function listHosts(db: Queryable): Promise<HostView[]> {
  const { rows } = await db.query<{
    id: string;
    report: unknown;
    agent_version: string;
    last_seen_at: Date | null;
    state: HostView['state'];
    labels: string[];
    slot_memory: string;
    draining_at: Date | null;
    resting_until: Date | null;
    rest_reason: string | null;
    refusals: HostView['refusals'] | null;
  }>(
    `SELECT h.id, h.report, h.agent_version, h.last_seen_at, ${HOST_STATE} AS state, h.labels,
            ${SLOT_MEMORY} AS slot_memory, h.draining_at, h.rest_reason,
            CASE WHEN h.resting_until > now() THEN h.resting_until END AS resting_until,
            (SELECT json_agg(json_build_object('runId', r.id, 'reason', f.reason,
                                               'label', s.name || ': ' || v.label || ', seed ' || r.seed) ORDER BY f.at DESC)
             FROM run_refusals f JOIN runs r ON r.id = f.run_id JOIN studies s ON s.id = r.study_id
             JOIN variants v ON v.id = r.variant_id
             WHERE f.host_id = h.id AND f.agent_version = h.agent_version AND r.status = 'queued') AS refusals
     FROM hosts h
     WHERE NOT ${IS_OF_JOB}
     ORDER BY ${HOST_STATE} <> 'online', h.name, h.id`,
  );
  const runs = await loadRunSummaries(db, { activeOnHosts: true });
  return rows.map((row) => {
    const report = HostReport.parse(row.report);
    return {
      id: row.id,
      name: report.name,
      state: row.state,
      lastSeenAt: toMillis(row.last_seen_at),
      platform: report.platform,
      cpuModel: report.cpuModel,
      cpuCount: report.cpuCount,
      memoryBytes: report.memoryBytes,
      gpus: report.gpus,
      slots: report.slots,
      backend: report.backend,
      agentVersion: row.agent_version,
      labels: row.labels,
      offeredLabels: report.labels ?? [],
      slotMemoryBytes: Number(row.slot_memory),
      drainingAt: toMillis(row.draining_at),
      restingUntil: toMillis(row.resting_until),
      restReason: row.resting_until === null ? null : row.rest_reason,
      problems: report.problems ?? [],
      refusals: row.refusals ?? [],
      datasets: report.datasets,
      runs: runs.filter((run) => run.hostId === row.id),
    };
  });
}
