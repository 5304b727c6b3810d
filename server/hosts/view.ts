/** HostView: the hosts page's rows, with what each host is doing. */
import { HostReport } from '@mealtable/protocol/agent-messages';
import type { HostView } from '@mealtable/protocol/views';
import { loadRunSummaries, type Queryable, toMillis } from '../runs/summary.ts';
import { HOST_STATE } from './host-state.ts';

/** Hosts that are here first, then by name. */
export async function listHosts(db: Queryable): Promise<HostView[]> {
  const { rows } = await db.query<{
    id: string;
    report: unknown;
    agent_version: string;
    last_seen_at: Date | null;
    state: HostView['state'];
  }>(
    `SELECT h.id, h.report, h.agent_version, h.last_seen_at, ${HOST_STATE} AS state FROM hosts h
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
      datasets: report.datasets,
      runs: runs.filter((run) => run.hostId === row.id),
    };
  });
}
