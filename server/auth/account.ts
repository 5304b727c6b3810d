/** A member's own account: name, address and password. */
import { randomUUID } from 'node:crypto';
import { AppError } from '@mealtable/protocol/errors';
import type { MeView } from '@mealtable/protocol/views';
import { z } from 'zod';
import type { Hub, Member } from '../context.ts';
import { MIN_PASSWORD_LENGTH } from './auth.ts';
import { Email, isTaken, MemberName } from './members.ts';

const tooShort = `A password has at least ${MIN_PASSWORD_LENGTH} characters.`;
/** Longer ones would only cost time to hash. */
const MAX_PASSWORD_LENGTH = 128;

export const PasswordChange = z.strictObject({
  password: z
    .string()
    .min(MIN_PASSWORD_LENGTH, tooShort)
    .max(MAX_PASSWORD_LENGTH, `A password has at most ${MAX_PASSWORD_LENGTH} characters.`),
  /** Needed once there is a password, unless the member has just come by a one-time link. */
  oldPassword: z.string().max(MAX_PASSWORD_LENGTH).optional(),
  name: MemberName.optional(),
  email: Email.optional(),
});
export type PasswordChange = z.infer<typeof PasswordChange>;

/** better-auth's name for accounts with a password. */
const PROVIDER = 'credential';

type AccountHub = Pick<Hub, 'db' | 'auth' | 'bus'>;

const isFreshFromLink = (hub: AccountHub, { via, credentialId }: Member) =>
  via === 'session' && hub.auth.isFreshLinkSession(credentialId);

export async function describeMe(hub: AccountHub, member: Member): Promise<MeView> {
  const { id, name, email, role } = member;
  const account = await hub.db.account.findFirst({ where: { userId: id, password: { not: null } } });
  const hasPassword = account !== null;
  return { id, name, email, role, hasPassword, needsOldPassword: hasPassword && !isFreshFromLink(hub, member) };
}

/**
 * Sets the password (and, on the way, name and address). Every other session of the member ends.
 * @throws {AppError} forbidden for programs, invalid when the old password is missing or wrong, conflict for a taken address
 */
export async function setPassword(hub: AccountHub, member: Member, change: PasswordChange): Promise<void> {
  if (member.via !== 'session') throw new AppError('forbidden', 'A program cannot change its member’s password.');
  const account = await hub.db.account.findFirst({ where: { userId: member.id, providerId: PROVIDER } });
  if (account?.password && !isFreshFromLink(hub, member))
    await checkOldPassword(hub, account.password, change.oldPassword);

  const password = await hub.auth.hashPassword(change.password);
  const { name, email } = change;
  const others = { userId: member.id, id: { not: member.credentialId } };
  const ended = await hub.db.session.findMany({ where: others, select: { id: true } });
  try {
    await hub.db.$transaction([
      account
        ? hub.db.account.update({ where: { id: account.id }, data: { password } })
        : hub.db.account.create({
            data: { id: randomUUID(), accountId: member.id, providerId: PROVIDER, userId: member.id, password },
          }),
      hub.db.user.update({ where: { id: member.id }, data: { name, email } }),
      hub.db.session.deleteMany({ where: others }),
    ]);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new AppError('conflict', `There is a member with the address ${email} already.`, [
      { path: 'email', message: 'This address is taken.' },
    ]);
  }
  for (const { id } of ended) hub.bus.emit('access:changed', { credentialId: id });
}

async function checkOldPassword(hub: AccountHub, hash: string, given: string | undefined) {
  if (given !== undefined && (await hub.auth.verifyPassword(hash, given))) return;
  const message = given === undefined ? 'Give the old password, too.' : 'The old password is wrong.';
  throw new AppError('invalid', message, [{ path: 'oldPassword', message }]);
}
