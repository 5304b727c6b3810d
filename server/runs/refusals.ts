/** Runs that a host cannot carry out with the agent that it has: it does not get them, and each says why it waits. */
import { configFeatures, featuresOf } from '@mealtable/protocol/config-features';
import { RunConfig } from '@mealtable/protocol/run-config';
import { FEATURES_OF_PROTOCOL_1 } from './features-of-protocol-1.ts';
import { BLOCKS_SQL, IS_PAUSED } from './placement.ts';
import type { Queryable } from './summary.ts';
import type { Tx } from './transaction.ts';

/** The host is not asked again before its agent changes. */
export async function noteRefusal(tx: Tx, runId: string, hostId: string, reason: string): Promise<void> {
  await tx.query(
    `INSERT INTO run_refusals (run_id, host_id, agent_version, reason)
     SELECT $1, id, agent_version, $3 FROM hosts WHERE id = $2
     ON CONFLICT (run_id, host_id) DO UPDATE SET agent_version = excluded.agent_version, reason = excluded.reason, at = now()`,
    [runId, hostId, reason],
  );
}

/**
 * The queued runs whose configs the host's agent understands; refusals are noted for the others.
 * @returns null when it understands everything that this hub does, as all agents of the hub's own version do
 */
export async function understoodRuns(tx: Tx, hostId: string): Promise<string[] | null> {
  const host = await loadFeatures(tx, hostId);
  if (host === null || [...configFeatures()].every((feature) => host.features.has(feature))) return null;
  const { rows } = await tx.query<{ id: string; config: unknown }>(
    `SELECT r.id, r.config FROM runs r JOIN hosts h ON h.id = $1
     WHERE r.status = 'queued' AND NOT (${IS_PAUSED}) AND NOT ${BLOCKS_SQL.refused}`,
    [hostId],
  );
  const understood: string[] = [];
  for (const { id, config } of rows) {
    const unknown = featuresOf(RunConfig.parse(config)).filter((feature) => !host.features.has(feature));
    if (unknown.length === 0) understood.push(id);
    else await noteRefusal(tx, id, hostId, explainUnknown(host.name, unknown));
  }
  return understood;
}

async function loadFeatures(db: Queryable, hostId: string) {
  const { rows } = await db.query<{ name: string; features: string[] | null }>(
    `SELECT name, report->'configFeatures' AS features FROM hosts WHERE id = $1`,
    [hostId],
  );
  const [row] = rows;
  return row ? { name: row.name, features: row.features ? new Set(row.features) : FEATURES_OF_PROTOCOL_1 } : null;
}

/** The shortest says it best: `softLabels` stands for all that is in it. */
function explainUnknown(hostName: string, unknown: string[]): string {
  const tops = unknown.filter((f) => !unknown.some((other) => f.startsWith(`${other}.`) || f.startsWith(`${other}=`)));
  return `The agent of ${hostName} is too old for this run, it does not know ${tops.join(', ')}: update Mealtable there and start it again.`;
}
