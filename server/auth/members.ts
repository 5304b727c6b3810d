/** Members: the owner, and whom the owner invites. Nobody else can come in. */
import { randomUUID } from 'node:crypto';
import { AppError } from '@mealtable/protocol/errors';
import { UserRole } from '@mealtable/protocol/statuses';
import type { MemberView } from '@mealtable/protocol/views';
import { z } from 'zod';
import { Prisma } from '../../prisma/generated/client.ts';
import type { Hub } from '../context.ts';
import type { PrismaClient } from '../db.ts';
import { withoutNul } from '../without-nul.ts';

/** Until the owner gives a real one. It is never written to. */
export const OWNER_EMAIL = 'owner@mealtable.local';

export const Email = z
  .email('Give a whole e-mail address, such as ada@example.org.')
  .max(200, 'An e-mail address has at most 200 characters.')
  .transform((email) => email.toLowerCase());
export const MemberName = z
  .string()
  .trim()
  .min(1, 'Give a name.')
  .max(100, 'A name has at most 100 characters.')
  .transform(withoutNul);
export const Invitation = z.strictObject({ email: Email, name: MemberName, role: UserRole });
export type Invitation = z.infer<typeof Invitation>;

type MembersHub = Pick<Hub, 'db' | 'now' | 'auth' | 'bus' | 'baseUrl'>;

/** True for a write that found the e-mail address taken. */
export const isTaken = (error: unknown) =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

const emailTaken = (email: string) =>
  new AppError('conflict', `There is a member with the address ${email} already.`, [
    { path: 'email', message: 'This address is taken.' },
  ]);

/** The link that signs a member in, once; earlier ones of theirs stop working. */
export async function createSignInLink(hub: MembersHub, email: string) {
  const { token, expiresAt } = await hub.auth.createSignInToken(email);
  return { link: `${hub.baseUrl()}/welcome?token=${token}`, expiresAt: expiresAt.getTime() };
}

/** Makes the first owner when there is none. @returns the address of the longest-standing owner */
export async function ensureOwner(hub: MembersHub): Promise<string> {
  const owner = await hub.db.user.findFirst({ where: { role: 'owner' }, orderBy: { createdAt: 'asc' } });
  if (owner) return owner.email;
  await addUser(hub.db, hub.now(), { email: OWNER_EMAIL, name: 'Owner', role: 'owner' });
  return OWNER_EMAIL;
}

/** emailVerified: the hub vouches for members; otherwise their first link would delete a password set before. */
const addUser = (db: PrismaClient, now: Date, { email, name, role }: Invitation) =>
  db.user.create({ data: { id: `usr_${randomUUID()}`, email, name, role, emailVerified: true, createdAt: now } });

/** @throws {AppError} conflict when the address is a member's already */
export async function inviteMember(hub: MembersHub, invitation: Invitation) {
  try {
    await addUser(hub.db, hub.now(), invitation);
  } catch (error) {
    throw isTaken(error) ? emailTaken(invitation.email) : error;
  }
  return createSignInLink(hub, invitation.email);
}

export async function listMembers(hub: MembersHub): Promise<MemberView[]> {
  const users = await hub.db.user.findMany({
    include: { accounts: { where: { password: { not: null } }, select: { id: true } } },
    orderBy: { createdAt: 'asc' },
  });
  return users.map((user) => ({
    id: user.id,
    name: user.name,
    email: user.email,
    role: user.role,
    createdAt: user.createdAt.getTime(),
    lastSeenAt: user.lastSeenAt?.getTime() ?? null,
    hasPassword: user.accounts.length > 0,
  }));
}

const unknownMember = () => new AppError('not_found', 'There is no such member any more.');

/** A new link for a member who lost the first one or forgot the password. */
export async function renewSignInLink(hub: MembersHub, id: string) {
  const user = await hub.db.user.findUnique({ where: { id } });
  if (!user) throw unknownMember();
  return createSignInLink(hub, user.email);
}

/** Runs a change of one member, refusing it when no owner would be left. Owners are locked, so two changes cannot cross. */
async function keepingAnOwner(
  hub: MembersHub,
  id: string,
  staysOwner: boolean,
  change: (db: Prisma.TransactionClient) => Promise<{ count: number }>,
) {
  await hub.db.$transaction(async (tx) => {
    const owners = await tx.$queryRaw<
      { id: string }[]
    >`SELECT id FROM users WHERE role = 'owner' ORDER BY id FOR UPDATE`;
    if (!staysOwner && owners.every((owner) => owner.id === id))
      throw new AppError('conflict', 'This is the only owner. Make somebody else an owner first.');
    if ((await change(tx)).count === 0) throw unknownMember();
  });
  hub.bus.emit('access:changed', { userId: id });
}

export const setMemberRole = (hub: MembersHub, id: string, role: UserRole) =>
  keepingAnOwner(hub, id, role === 'owner', (tx) => tx.user.updateMany({ where: { id }, data: { role } }));

/** Sessions, password and tokens go with the member; studies stay. */
export const removeMember = (hub: MembersHub, id: string) =>
  keepingAnOwner(hub, id, false, (tx) => tx.user.deleteMany({ where: { id } }));
