/** Postgres refuses to run as root: who runs it, and which folders that user can reach. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { StartupFault } from '../startup-fault.ts';

export interface ServiceUser {
  uid: number;
  gid: number;
  name: string;
}

/** Users tried in order when the hub runs as root. Both exist without a password on common systems. */
const CANDIDATES = ['postgres', 'nobody'];

function idOf(flag: '-u' | '-g', name: string): number | null {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return null; // `id` ends with 1 for a name that does not exist
  }
}

/**
 * @param dataFolder Postgres's data folder; when it exists already, its owner goes on running it
 * @returns the user to become, or null when the hub's own user runs Postgres
 */
export function chooseServiceUser(dataFolder: string): ServiceUser | null {
  if (process.getuid?.() !== 0) return null;
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, name: `user ${owner.uid}` };
  for (const name of CANDIDATES) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)];
    if (uid !== null && gid !== null && uid !== 0) return { uid, gid, name };
  }
  throw new StartupFault(
    `Postgres does not run as root, and there is neither a user "${CANDIDATES.join('" nor "')}". Start as an ordinary user, or set DATABASE_URL to a Postgres server.`,
  );
}

/** Permission bits are asked for: they can be read as root without becoming the user. @param bits 1 = enter, 5 = read and enter */
function allows(target: string, user: ServiceUser, bits: number): boolean {
  const { mode, uid, gid } = statSync(target);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

function ancestorsOf(target: string): string[] {
  const parent = path.dirname(target);
  return parent === target ? [] : [...ancestorsOf(parent), parent];
}

/** True when the user can reach (and, for programs, read and run) an existing path. */
export function canReach(target: string, user: ServiceUser | null, bits = 1): boolean {
  if (user === null) return true;
  return ancestorsOf(target).every((folder) => allows(folder, user, 1)) && allows(target, user, bits);
}
