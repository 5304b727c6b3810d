/** Tokens for agents and for programs: shown once when made, stored as a hash, revocable. */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '@mealtable/protocol/errors';
import type { TokenKind } from '@mealtable/protocol/statuses';
import type { TokenView } from '@mealtable/protocol/views';
import { z } from 'zod';
import type { Hub, Member } from '../context.ts';
import { withoutNul } from '../without-nul.ts';
import { hasRole, lowerRole } from './roles.ts';

const PREFIXES = { agent: 'mt_agent_', program: 'mt_program_' } as const satisfies Record<TokenKind, string>;
/** Characters of the random part that a list shows, to tell tokens apart. */
const HINT_LENGTH = 4;

const Label = z
  .string()
  .trim()
  .min(1, 'Give the token a label.')
  .max(100, 'A label has at most 100 characters.')
  .transform(withoutNul);
export const NewToken = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('agent'), label: Label }),
  z.strictObject({ kind: z.literal('program'), label: Label, role: z.enum(['editor', 'viewer']) }),
]);
export type NewToken = z.infer<typeof NewToken>;

type TokenHub = Pick<Hub, 'db' | 'ids' | 'now'>;

/** 256 random bits cannot be guessed, so a plain hash is enough and a look-up by it leaks nothing. */
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

/** @param userId whose token it is; null for the hub's own local agent */
export async function storeToken(hub: TokenHub, input: NewToken, userId: string | null) {
  const secret = randomBytes(32).toString('base64url');
  const token = PREFIXES[input.kind] + secret;
  const { id } = await hub.db.token.create({
    data: {
      id: hub.ids('token'),
      kind: input.kind,
      role: input.kind === 'program' ? input.role : null,
      label: input.label,
      hash: hashOf(token),
      hint: PREFIXES[input.kind] + secret.slice(0, HINT_LENGTH),
      createdAt: hub.now(),
      userId,
    },
  });
  return { id, token };
}

/** @throws {AppError} forbidden when the token would do more than its maker may, or would outlive the token that made it */
export async function createToken(hub: TokenHub, member: Member, input: NewToken) {
  if (member.via === 'token')
    throw new AppError('forbidden', 'A program cannot make tokens. Sign in on the page to make one.');
  if (input.kind === 'program' && !hasRole(member.role, input.role))
    throw new AppError('forbidden', `A token of yours can have the role ${member.role} at most.`, [
      { path: 'role', message: `Your own role is ${member.role}.` },
    ]);
  return storeToken(hub, input, member.id);
}

/** @returns the agent token's id, or null when it is unknown or revoked */
export async function findAgentToken(hub: TokenHub, token: string): Promise<{ tokenId: string } | null> {
  if (!token.startsWith(PREFIXES.agent)) return null;
  const row = await hub.db.token.findUnique({ where: { hash: hashOf(token) } });
  return row && row.kind === 'agent' && !row.revokedAt ? { tokenId: row.id } : null;
}

/** @returns the member a program acts for, with the lower of both roles, or null when the token is unknown or revoked */
export async function findProgramMember(hub: TokenHub, token: string): Promise<Member | null> {
  if (!token.startsWith(PREFIXES.program)) return null;
  const row = await hub.db.token.findUnique({ where: { hash: hashOf(token) }, include: { user: true } });
  if (!row?.user || row.kind !== 'program' || row.revokedAt) return null;
  const { id, name, email, role } = row.user;
  return { id, name, email, role: lowerRole(role, row.role ?? 'viewer'), via: 'token', credentialId: row.id };
}

/** Agent tokens and one's own; the owner sees everybody's. */
const visibleTo = (member: Member) =>
  member.role === 'owner' ? {} : { OR: [{ kind: 'agent' as const }, { userId: member.id }] };

/** Newest first, without revoked ones. */
export async function listTokens(hub: TokenHub, member: Member): Promise<TokenView[]> {
  const rows = await hub.db.token.findMany({
    where: { revokedAt: null, ...visibleTo(member) },
    include: { user: { select: { name: true } } },
    orderBy: { createdAt: 'desc' },
  });
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    role: row.role === 'owner' ? null : row.role,
    label: row.label,
    hint: row.hint,
    createdAt: row.createdAt.getTime(),
    createdBy: row.user?.name ?? 'this hub',
    lastUsedAt: row.lastUsedAt?.getTime() ?? null,
  }));
}

/** Ends what runs with it, too. @throws {AppError} not_found when there is none that the member may revoke */
export async function revokeToken(hub: TokenHub & Pick<Hub, 'bus'>, member: Member, id: string): Promise<void> {
  const { count } = await hub.db.token.updateMany({
    where: { id, revokedAt: null, ...visibleTo(member) },
    data: { revokedAt: hub.now() },
  });
  if (count === 0) throw new AppError('not_found', 'There is no such token, or it is revoked already.');
  hub.bus.emit('access:changed', { credentialId: id });
}
