/** Who asks, from what a request or a socket handshake carries. A token that is shown is the only credential tried. */
import type { IncomingHttpHeaders } from 'node:http';
import { UserRole } from '@mealtable/protocol/statuses';
import type { Hub, Member } from '../context.ts';
import { touchToken, touchUser } from './last-seen.ts';
import { findAgentToken, findProgramMember } from './tokens.ts';

export type IdentityHub = Pick<Hub, 'db' | 'ids' | 'now' | 'auth'>;

export interface Identified {
  member: Member | null;
  /** Cookies to send back: a session in use is renewed from time to time. */
  setCookies: string[];
}

/** @returns the token of `Authorization: Bearer …`, or null */
export function readBearer(headers: IncomingHttpHeaders): string | null {
  return headers.authorization?.match(/^Bearer +(\S+)$/i)?.[1] ?? null;
}

/**
 * @param token a token shown in another way than the header
 * @param secure the browser is on https
 */
export async function identifyMember(
  hub: IdentityHub,
  headers: IncomingHttpHeaders,
  secure: boolean,
  token = readBearer(headers),
): Promise<Identified> {
  if (token !== null) {
    const member = await findProgramMember(hub, token);
    if (member) await touchToken(hub, member.credentialId);
    return { member, setCookies: [] };
  }
  if (!headers.cookie) return { member: null, setCookies: [] };
  const { owner, setCookies } = await hub.auth.readSession(new Headers({ cookie: headers.cookie }), secure);
  if (!owner) return { member: null, setCookies };
  await touchUser(hub, owner.userId);
  const { userId: id, name, email, sessionId } = owner;
  const member: Member = { id, name, email, role: UserRole.parse(owner.role), via: 'session', credentialId: sessionId };
  return { member, setCookies };
}

/** @returns the agent token's id, or null when it is not a valid agent token */
export async function identifyAgent(hub: IdentityHub, token: string | null): Promise<{ tokenId: string } | null> {
  const agent = token === null ? null : await findAgentToken(hub, token);
  if (agent) await touchToken(hub, agent.tokenId);
  return agent;
}
