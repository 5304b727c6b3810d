/** The namespace of agents. Every message is parsed and answered; the hub itself only nudges. */
import {
  AGENT_NAMESPACE,
  AgentAuth,
  AgentHello,
  type AgentToHub,
  type FatalRefusal,
  type FatalRefusalData,
  Heartbeat,
  type HubToAgent,
  type Nack,
  RecordBatch,
  RunRefusal,
  RunRequest,
} from '@mealtable/protocol/agent-messages';
import { OutputBatch } from '@mealtable/protocol/output';
import { SampleBatch } from '@mealtable/protocol/telemetry';
import { LIVE_COALESCE_MS, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import type { DefaultEventsMap, Namespace, Server, Socket } from 'socket.io';
import type { z } from 'zod';
import type { Hub } from '../context.ts';
import { detachHost } from '../hosts/host-rows.ts';
import type { AgentSocketData } from '../http/guard-sockets.ts';
import { appendRecords } from '../metrics/store.ts';
import { appendOutput } from '../output/store.ts';
import { claimRuns } from '../runs/claim-runs.ts';
import { releaseClaims } from '../runs/lifecycle-lease.ts';
import { transact } from '../runs/transaction.ts';
import { storeSamples } from '../telemetry/store-samples.ts';
import { handleHeartbeat, handleHello, handleRefusal } from './agent-messages.ts';
import { type InTurn, makeTurns } from './in-turn.ts';

interface AgentData extends AgentSocketData {
  hostId: string;
  agentVersion: string;
  /** True once the hello was answered: before that the host is not known to the database. */
  greeted: boolean;
}
type AgentSocket = Socket<AgentToHub, HubToAgent, DefaultEventsMap, AgentData>;
type AgentNamespace = Namespace<AgentToHub, HubToAgent, DefaultEventsMap, AgentData>;

const HELLO_FIRST: Nack = { ok: false, code: 'bad_message', path: '', message: 'Say agent:hello first.' };
/** The client's own word for `socket.disconnect()`: an agent that leaves says goodbye by it. */
const GOODBYE = 'client namespace disconnect';

export interface AgentSockets {
  /** No grants from now on; records and heartbeats are still taken. */
  stopGranting(): void;
  close(): void;
}

interface Granting {
  granting: boolean;
  inTurn: InTurn;
}

export function attachAgentSockets(io: Server, hub: Hub): AgentSockets {
  const namespace: AgentNamespace = io.of(AGENT_NAMESPACE);
  // Claims race safely, but each that comes second has to look again at all that the first one took: hundreds of agents that are
  // nudged at once would keep the database busy for minutes.
  const state: Granting = { granting: true, inTurn: makeTurns() };
  namespace.use((socket, next) => {
    const refusal = checkAuth(socket);
    next(refusal === null ? undefined : toError(refusal));
  });
  namespace.on('connection', (socket) => serveAgent(namespace, socket, hub, state));
  const stopNudging = forwardNudges(namespace, hub);
  return {
    stopGranting() {
      state.granting = false;
    },
    close() {
      state.granting = false;
      stopNudging();
    },
  };
}

interface Refusal {
  /** A FatalRefusal, or a sentence for one that may try again. */
  message: FatalRefusal | string;
  data?: z.infer<typeof FatalRefusalData>;
}
const toError = ({ message, data }: Refusal): Error => Object.assign(new Error(message), { data });

/** @returns null when the agent may connect */
function checkAuth(socket: AgentSocket): Refusal | null {
  const auth = AgentAuth.safeParse(socket.handshake.auth);
  if (!auth.success) {
    const issue = auth.error.issues[0];
    return { message: `The handshake cannot be read: auth.${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { protocolVersion, hostId, agentVersion } = auth.data;
  if (protocolVersion < OLDEST_PROTOCOL_VERSION) return refuseVersion('agent_too_old', protocolVersion);
  if (protocolVersion > PROTOCOL_VERSION) return refuseVersion('hub_too_old', protocolVersion);
  // Assigned, not replaced: the guard has left the token's id there.
  Object.assign(socket.data, { hostId, agentVersion, greeted: false } satisfies Omit<AgentData, 'tokenId'>);
  return null;
}

function refuseVersion(message: FatalRefusal, theirs: number): Refusal {
  const versions = `The agent speaks protocol ${theirs}, this hub ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}`;
  const what =
    message === 'agent_too_old'
      ? 'update Mealtable on this machine (git pull), then start its agent again (npm run agent)'
      : "update the hub (git pull on its machine, then npm start), or use the hub's version of Mealtable here";
  return { message, data: { sentence: `${versions}: ${what}.` } };
}

function serveAgent(namespace: AgentNamespace, socket: AgentSocket, hub: Hub, state: Granting): void {
  const { hostId, agentVersion, tokenId } = socket.data;
  /** Messages that are still being worked on. */
  const underWay = new Set<Promise<unknown>>();
  const listen = makeListener(socket, underWay);

  socket.on(
    'agent:hello',
    listen('agent:hello', AgentHello, async (hello) => {
      const reply = await handleHello(hub, hostId, agentVersion, hello, tokenId);
      socket.data.greeted = true;
      await socket.join(hostId);
      // The newest connection of a host speaks for it; an older one is left over from a broken network.
      for (const other of namespace.sockets.values())
        if (other !== socket && other.data.hostId === hostId) other.disconnect(true);
      return reply;
    }),
  );
  socket.on(
    'run:request',
    listen('run:request', RunRequest, async ({ freeSlots, runId }) => {
      if (!socket.data.greeted) return HELLO_FIRST;
      return state.inTurn(async () => {
        if (!state.granting || !socket.connected) return { grants: [] };
        const grants = await claimRuns(hub, hostId, freeSlots, runId ?? null);
        // Nobody is there to take them: they go back at once instead of when their leases end.
        if (!socket.connected) await transact(hub, (tx) => releaseClaims(tx, grants));
        return { grants };
      });
    }),
  );
  socket.on(
    'run:refuse',
    listen('run:refuse', RunRefusal, async (refusal) =>
      socket.data.greeted ? handleRefusal(hub, hostId, refusal) : HELLO_FIRST,
    ),
  );
  socket.on(
    'agent:heartbeat',
    listen('agent:heartbeat', Heartbeat, async (heartbeat) => {
      if (!socket.data.greeted) return HELLO_FIRST;
      const reply = await handleHeartbeat(hub, hostId, heartbeat);
      if (reply) return reply;
      socket.disconnect(true);
      return HELLO_FIRST;
    }),
  );
  socket.on(
    'run:records',
    listen('run:records', RecordBatch, ({ runId, attempt, records }) => appendRecords(hub, runId, attempt, records)),
  );
  socket.on(
    'run:output',
    listen('run:output', OutputBatch, (batch) => appendOutput(hub, batch)),
  );
  socket.on(
    'agent:samples',
    listen('agent:samples', SampleBatch, async (batch) =>
      socket.data.greeted ? storeSamples(hub, hostId, batch) : HELLO_FIRST,
    ),
  );
  socket.on('disconnect', async (reason) => {
    if (reason !== GOODBYE) return;
    // A hello or a heartbeat written after the goodbye would take it back: the agent's last word is written last.
    await Promise.allSettled(underWay);
    const isElsewhere = [...namespace.sockets.values()].some((other) => other.data.hostId === hostId);
    if (!socket.data.greeted || isElsewhere) return;
    await detachHost(hub, hostId).catch((error: unknown) => {
      // The host is then shown as unreachable instead of detached.
      console.error(`The goodbye of ${hostId} could not be noted:`, error);
    });
  });
}

/** Parses and answers. A message that cannot be read gets its path back, and one line in the log per connection. */
function makeListener(socket: AgentSocket, underWay: Set<Promise<unknown>>) {
  let hasLogged = false;
  return <T, R extends object>(event: string, schema: z.ZodType<T>, handle: (message: T) => Promise<R | Nack>) =>
    (raw: unknown, ack: (reply: R | Nack) => void): void => {
      if (typeof ack !== 'function') return;
      const parsed = schema.safeParse(raw);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const path = issue?.path.join('.') ?? '';
        const message = issue?.message ?? 'This message cannot be read.';
        if (!hasLogged) console.error(`${socket.data.hostId} sent ${event} with a fault at "${path}": ${message}`);
        hasLogged = true;
        ack({ ok: false, code: 'bad_message', path, message });
        return;
      }
      const work = handle(parsed.data).then(ack, (error: unknown) => {
        // No answer: the agent's own time limit makes it ask again, as it does when the hub is away.
        console.error(`${event} of ${socket.data.hostId} failed:`, error);
      });
      underWay.add(work);
      void work.finally(() => underWay.delete(work));
    };
}

/** Nudges of one moment are one message. */
function forwardNudges(namespace: AgentNamespace, hub: Hub): () => void {
  const waiting = new Set<string | null>();
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    timer = undefined;
    if (waiting.has(null)) namespace.emit('hub:nudge');
    else for (const hostId of waiting) namespace.to(hostId as string).emit('hub:nudge');
    waiting.clear();
  };
  const onNudge = (hostId: string | null) => {
    waiting.add(hostId);
    timer ??= setTimeout(send, LIVE_COALESCE_MS);
  };
  hub.bus.on('agents:nudge', onNudge);
  return () => {
    hub.bus.off('agents:nudge', onNudge);
    clearTimeout(timer);
  };
}
