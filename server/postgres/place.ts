/** Where the embedded database lives and who owns it. */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { explainFailure } from './explain-failure.ts';
import { canReach, chooseServiceUser, type ServiceUser } from './service-user.ts';

/** Used as root when the service user cannot enter the hub's own data folder, for example below /root. */
const SHARED_DIR = '/var/lib/mealtable';

export interface Place {
  /** Holds data/, password, port and server.log. */
  folder: string;
  dataFolder: string;
  logFile: string;
  portFile: string;
  passwordFile: string;
  /** For a copy of the programs, when they cannot be used in place. */
  cacheDir: string;
  user: ServiceUser | null;
  /** A sentence for the user when the database is not where they would look for it. */
  notice: string | null;
}

function placeIn(folder: string, cacheDir: string, notice: string | null): Place {
  const dataFolder = path.join(folder, 'data');
  return {
    folder,
    dataFolder,
    logFile: path.join(folder, 'server.log'),
    portFile: path.join(folder, 'port'),
    passwordFile: path.join(folder, 'password'),
    cacheDir,
    user: chooseServiceUser(dataFolder),
    notice,
  };
}

/** Whatever the umask says. */
function makeEnterable(folder: string) {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
}

/**
 * Makes the folders, owned by whoever runs Postgres.
 * @param dataDir the hub's data folder
 * @throws {StartupFault} when they cannot be made or belong to somebody else
 */
export function preparePlace(dataDir: string): Place {
  try {
    const wanted = path.join(dataDir, 'postgres');
    mkdirSync(wanted, { recursive: true });
    let place = placeIn(wanted, dataDir, null);
    if (!canReach(dataDir, place.user)) {
      const mark = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
      const elsewhere = path.join(SHARED_DIR, mark, 'postgres');
      for (const folder of [SHARED_DIR, path.dirname(elsewhere)]) makeEnterable(folder);
      mkdirSync(elsewhere, { recursive: true });
      const reason = `The database is kept in ${elsewhere}, because the user ${place.user?.name} who runs it cannot enter ${dataDir}.`;
      place = placeIn(elsewhere, SHARED_DIR, reason);
    }
    if (place.user) chownSync(place.folder, place.user.uid, place.user.gid);
    chmodSync(place.folder, 0o700);
    return place;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw explainFailure((error as Error).message, dataDir);
  }
}
