/** An agent by hand: the real socket and the real HTTP, with a test deciding what it says. */

import type { HostReport } from '@mealtable/protocol/agent-messages';
import {
  AGENT_NAMESPACE,
  type AgentAuth,
  type AgentToHub,
  type AttemptRef,
  type Grant,
  type HelloReply,
  type HubToAgent,
  type RecordBatchReply,
} from '@mealtable/protocol/agent-messages';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { io, type Socket } from 'socket.io-client';
import { makeReport, type ScriptedCheckpoint, sha256Of } from './core.ts';
import type { TestHub } from './hub.ts';

export interface ScriptedAgent {
  hostId: string;
  token: string;
  socket: Socket<HubToAgent, AgentToHub>;
  /** Sends a message that need not be a good one, and gives the hub's answer. */
  ask(event: keyof AgentToHub, message: unknown): Promise<unknown>;
  hello(attempts?: AttemptRef[], report?: Partial<HostReport>): Promise<HelloReply>;
  request(freeSlots: number): Promise<Grant[]>;
  records(ref: AttemptRef, records: unknown[]): Promise<RecordBatchReply>;
  upload(checkpoint: ScriptedCheckpoint): Promise<void>;
  /** Resolves with the next nudge. */
  nextNudge(): Promise<void>;
}

const sockets = new Set<Socket>();
/** For afterEach: no test leaves a connection. */
export function closeSockets(): void {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
}

/** Connects, or rejects with the hub's refusal. */
export async function connectSocket<S extends Socket>(url: string, auth: object, headers = {}): Promise<S> {
  const socket = io(url, {
    auth,
    extraHeaders: headers,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  });
  sockets.add(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket as unknown as S;
}

export async function connectAgent(
  hub: TestHub,
  more: Partial<AgentAuth> & { hostId?: string } = {},
): Promise<ScriptedAgent> {
  const token = more.token ?? (await hub.addToken({ kind: 'agent', label: 'test' }, null)).token;
  const hostId = more.hostId ?? hub.hub.ids('host');
  const auth = { protocolVersion: PROTOCOL_VERSION, agentVersion: '1.0.0', ...more, token, hostId };
  const socket = await connectSocket<Socket<HubToAgent, AgentToHub>>(`${hub.url}${AGENT_NAMESPACE}`, auth);
  const ask = (event: keyof AgentToHub, message: unknown): Promise<unknown> =>
    (socket.timeout(10_000) as unknown as Socket).emitWithAck(event, message);
  return {
    hostId,
    token,
    socket,
    ask,
    hello: (attempts = [], report = {}) =>
      ask('agent:hello', { report: makeReport(report), attempts }) as Promise<HelloReply>,
    request: async (freeSlots) => ((await ask('run:request', { freeSlots })) as { grants: Grant[] }).grants,
    records: ({ runId, attempt }, records) =>
      ask('run:records', { runId, attempt, records }) as Promise<RecordBatchReply>,
    async upload(checkpoint) {
      for (const content of checkpoint.contents) {
        const reply = await putBlob(hub, token, sha256Of(content), content);
        if (reply.status !== 200) throw new Error(`${reply.status}: ${await reply.text()}`);
      }
    },
    nextNudge: () => new Promise((resolve) => socket.once('hub:nudge', () => resolve())),
  };
}

export const putBlob = (hub: { url: string }, token: string, sha256: string, body: Buffer) =>
  fetch(`${hub.url}/api/agent/blobs/${sha256}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: new Uint8Array(body),
  });
