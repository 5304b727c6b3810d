/** What each message of an agent does, apart from the socket that it came by. */
import type { AgentHello, Heartbeat, HeartbeatReply, HelloReply } from '@mealtable/protocol/agent-messages';
import { agentTunables } from '@mealtable/protocol/tunables';
import { touchHost, upsertHost } from '../hosts/host-rows.ts';
import { loseUnlisted } from '../runs/lifecycle-lease.ts';
import { settleAttempts } from '../runs/standing.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';

/** The host is here with these attempts; what the hub believed to be there besides is queued again. */
export async function handleHello(
  hub: CoreHub,
  hostId: string,
  agentVersion: string,
  hello: AgentHello,
): Promise<HelloReply> {
  return transact(hub, async (tx) => {
    await upsertHost(tx, hostId, agentVersion, hello.report);
    await loseUnlisted(tx, hostId, hello.attempts);
    const standings = await settleAttempts(tx, hostId, hello.attempts);
    const attempts = standings.map(({ stop, ...ref }) => ({
      ...ref,
      action: stop === null ? ('keep' as const) : ('stop' as const),
      reason: stop,
    }));
    return { tunables: agentTunables, attempts };
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
    const stop = standings.flatMap(({ runId, attempt, stop: reason }) =>
      reason === null ? [] : [{ runId, attempt, reason }],
    );
    return { stop };
  });
}
