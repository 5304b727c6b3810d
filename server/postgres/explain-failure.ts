/** What Postgres's own messages mean for the person who started the hub. */
import { StartupFault } from '../startup-fault.ts';

const KNOWN: { pattern: RegExp; sentence: (folder: string) => string }[] = [
  {
    pattern: /No space left on device|ENOSPC|could not (write|extend) .*: Disk quota/i,
    sentence: (folder) =>
      `The disk is full: the database in ${folder} needs space. Free some and start again; nothing is lost.`,
  },
  {
    pattern: /initialized by PostgreSQL version|database files are incompatible/i,
    sentence: (folder) =>
      `The database in ${folder} was made by another version of Postgres. Start the version that made it, or set MEALTABLE_DATA to another folder.`,
  },
  {
    pattern: /could not look up effective user|user does not exist/i,
    sentence: () =>
      `Postgres needs a named user, and the user id ${process.getuid?.()} has no name on this system. Start as a named user, or set DATABASE_URL to a Postgres server.`,
  },
  {
    pattern: /Permission denied|EACCES|EPERM|wrong ownership|invalid permissions/i,
    sentence: (folder) =>
      `The database folder ${folder} belongs to another user or cannot be written. Start as the user who made it, or set MEALTABLE_DATA to another folder.`,
  },
  {
    // Node reports ENOENT for a folder in a folder that cannot be written.
    pattern: /Read-only file system|EROFS|ENOENT.*mkdir/i,
    sentence: (folder) => `The folder ${folder} cannot be made or written. Set MEALTABLE_DATA to a folder that can be.`,
  },
  {
    pattern: /could not (create|map|open) .*shared memory|Cannot allocate memory|ENOMEM/i,
    sentence: () =>
      'There is too little memory for Postgres. Close something, or set DATABASE_URL to a Postgres server elsewhere.',
  },
  {
    pattern: /invalid data in file|PANIC|could not locate a valid checkpoint record|checksum/i,
    sentence: (folder) =>
      `The database in ${folder} is damaged; its server.log has the details. Restore a copy of the folder, or set MEALTABLE_DATA to another folder.`,
  },
];

/** @param output what the failed program and its log said @param folder shown to the user */
export function explainFailure(output: string, folder: string): StartupFault {
  const known = KNOWN.find(({ pattern }) => pattern.test(output));
  if (known) return new StartupFault(known.sentence(folder), { cause: new Error(output) });
  const lines = output.split('\n').filter((line) => /\S/.test(line));
  const telling = lines.findLast((line) => /FATAL|ERROR|error:/.test(line)) ?? lines.at(-1) ?? 'it gave no reason';
  return new StartupFault(`Postgres did not start in ${folder}: ${telling.trim()}`, { cause: new Error(output) });
}
