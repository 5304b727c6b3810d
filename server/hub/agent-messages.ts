/** What each message of an agent does, apart from the socket that it came by. */
import type {
  AgentHello,
  Heartbeat,
  HeartbeatReply,
  HelloReply,
  RunRefusal,
  RunRefusalReply,
} from '@mealtable/protocol/agent-messages';
import { agentTunables } from '@mealtable/protocol/tunables';
import { touchHost, upsertHost } from '../hosts/host-rows.ts';
import { assignLauncher } from '../launchers/host-of-launcher.ts';
import { finishAttempt } from '../runs/lifecycle.ts';
import { loseUnlisted } from '../runs/lifecycle-lease.ts';
import { settleAttempts } from '../runs/standing.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';
import { noteSlots } from '../telemetry/note-slots.ts';
import { readClock } from '../telemetry/read-clock.ts';

/** The host is here with these attempts; what the hub believed to be there besides is queued again. */
export async function handleHello(
  hub: CoreHub,
  hostId: string,
  agentVersion: string,
  hello: AgentHello,
  tokenId: string,
): Promise<HelloReply> {
  return transact(hub, async (tx) => {
    await upsertHost(tx, hostId, agentVersion, hello.report);
    await assignLauncher(tx, hostId, tokenId, hello.report.name);
    await loseUnlisted(tx, hostId, hello.attempts);
    const standings = await settleAttempts(tx, hostId, hello.attempts);
    await noteSlots(tx, hostId, hello.attempts);
    const attempts = standings.map(({ stop, ...ref }) => ({
      ...ref,
      action: stop === null ? ('keep' as const) : ('stop' as const),
      reason: stop,
    }));
    return { tunables: agentTunables, takesOutput: true, now: await readClock(tx), attempts };
  });
}

/** The run goes back to the queue, and what its attempt was allowed stays untouched. Late or foreign refusals change nothing. */
export async function handleRefusal(
  hub: CoreHub,
  hostId: string,
  { runId, attempt, reason }: RunRefusal,
): Promise<RunRefusalReply> {
  return transact(hub, async (tx) => {
    const { rowCount } = await tx.query('SELECT 1 FROM runs WHERE id = $1 AND attempt = $2 AND host_id = $3', [
      runId,
      attempt,
      hostId,
    ]);
    const ending = { outcome: 'refused', failureCode: null, message: reason, exitCode: null, signal: null } as const;
    if (rowCount === 1) await finishAttempt(tx, runId, attempt, ending);
    return { ok: true };
  });
}

/** @returns null when the host was taken off the list in the meantime */
export async function handleHeartbeat(
  hub: CoreHub,
  hostId: string,
  heartbeat: Heartbeat,
): Promise<HeartbeatReply | null> {
  return transact(hub, async (tx) => {
    if (!(await touchHost(tx, hostId))) return null;
    const standings = await settleAttempts(tx, hostId, heartbeat.attempts);
    await noteSlots(tx, hostId, heartbeat.attempts);
    const stop = standings.flatMap(({ runId, attempt, stop: reason }) =>
      reason === null ? [] : [{ runId, attempt, reason }],
    );
    return { stop };
  });
}
