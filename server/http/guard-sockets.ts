/** The same checks for socket.io: who may connect to which namespace, and who must leave when their access ends. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { AGENT_NAMESPACE, type FatalRefusal } from '@mealtable/protocol/agent-messages';
import { LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import type { Server, Socket } from 'socket.io';
import { z } from 'zod';
import { identifyAgent, identifyMember, readBearer } from '../auth/identify.ts';
import type { Hub, Member } from '../context.ts';
import { DATABASE_DOWN, isDatabaseDown } from '../database-down.ts';
import { identifyVisitor, isShareSecret } from '../shares/identify-visitor.ts';
import type { ShareVisitor } from '../shares/share-rows.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import { clientAddress } from './client-address.ts';
import { INTERNAL_FAULT } from './refuse.ts';

/** `socket.data` on /live and /agent. */
export type LiveSocketData = { member: Member; visitor: null } | { member: null; visitor: ShareVisitor };
export interface AgentSocketData {
  tokenId: string;
}

const ShownToken = z.object({ token: z.string().min(1) });
const BAD_TOKEN: FatalRefusal = 'bad_token';

function shownToken(socket: Socket): string | null {
  const shown = ShownToken.safeParse(socket.handshake.auth);
  return shown.success ? shown.data.token : readBearer(socket.handshake.headers);
}

/** The error itself would reach whoever asks, with the statement, paths and source lines that it quotes. */
function refuseFault(next: (refusal: Error) => void) {
  return (error: unknown) => {
    const isDown = isDatabaseDown(error);
    console.error('A socket could not be let in:', isDown ? DATABASE_DOWN : error);
    next(new Error(isDown ? DATABASE_DOWN : INTERNAL_FAULT));
  };
}

/** For engine.io's `allowRequest`: before a connection is taken, and for every request of one that polls. */
export function checkHandshake(hosts: AllowedHosts) {
  return (req: IncomingMessage, answer: (refusal: string | null, allowed: boolean) => void) => {
    const allowed = hosts.allowsHost(req.headers.host) && hosts.allowsOrigin(req.headers);
    answer(allowed ? null : 'This page or address may not connect.', allowed);
  };
}

/**
 * WebSockets that are not socket.io's: there are none, except for Next's development client, which gets the same check.
 * @param dev started with --dev
 */
export function guardUpgrades(server: HttpServer, hosts: AllowedHosts, dev: boolean): void {
  server.prependListener('upgrade', (req: IncomingMessage, socket: Duplex) => {
    if (req.url?.startsWith('/socket.io/')) return;
    if (!dev || !hosts.allowsHost(req.headers.host) || !hosts.allowsOrigin(req.headers)) socket.destroy();
  });
}

/** Refuses whoever shows no valid credential. Call it before anything listens on the namespaces. */
export function guardSockets(io: Server, hub: Hub, hosts: AllowedHosts): void {
  io.of('/').use((_socket, next) => next(new Error('There is nothing here. Connect to /live or /agent.')));

  io.of(LIVE_NAMESPACE).use((socket, next) => {
    const { headers } = socket.handshake;
    const shown = shownToken(socket);
    const found = isShareSecret(shown)
      ? identifyVisitor(hub, shown, clientAddress(hub.env, socket.request)).then((visitor) => ({
          member: null,
          visitor,
        }))
      : identifyMember(hub, headers, hosts.isSecure(headers), shown).then(({ member }) => ({ member, visitor: null }));
    found.then(({ member, visitor }) => {
      if (!member && (!visitor || visitor === 'blocked')) return next(new Error('unauthenticated'));
      socket.data = { member, visitor } as LiveSocketData;
      next();
    }, refuseFault(next));
  });

  io.of(AGENT_NAMESPACE).use((socket, next) => {
    identifyAgent(hub, shownToken(socket)).then((agent) => {
      if (!agent) return next(new Error(BAD_TOKEN));
      (socket.data as AgentSocketData).tokenId = agent.tokenId;
      next();
    }, refuseFault(next));
  });

  hub.bus.on('access:changed', (subject) => {
    for (const socket of io.of(LIVE_NAMESPACE).sockets.values()) {
      const { member, visitor } = socket.data as LiveSocketData;
      const credentialId = member ? member.credentialId : visitor.shareId;
      // Not socket.disconnect(): a client takes that for final, but with its new role it may come back.
      if ('userId' in subject ? member?.id === subject.userId : credentialId === subject.credentialId)
        socket.conn.close();
    }
    void closeRevokedAgents(io, hub);
  });
}

/** An agent's token goes with the member who made it, so the database is asked which are left. */
async function closeRevokedAgents(io: Server, hub: Hub): Promise<void> {
  const sockets = [...io.of(AGENT_NAMESPACE).sockets.values()];
  if (sockets.length === 0) return;
  const tokenOf = (socket: Socket) => (socket.data as AgentSocketData).tokenId;
  const valid = await hub.db.token
    .findMany({ where: { id: { in: sockets.map(tokenOf) }, revokedAt: null }, select: { id: true } })
    .catch(() => null); // without the database nothing that an agent sends is stored either
  if (!valid) return;
  const ids = new Set(valid.map(({ id }) => id));
  for (const socket of sockets) if (!ids.has(tokenOf(socket))) socket.conn.close();
}
