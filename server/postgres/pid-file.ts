/** Reads Postgres's own postmaster.pid: who runs the data folder, on which port. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const fileIn = (dataFolder: string) => path.join(dataFolder, 'postmaster.pid');

/** @returns the process and port of the server that wrote the file, whether or not it still lives; null without one */
export function readPidFile(dataFolder: string): { pid: number; port: number } | null {
  let text: string;
  try {
    text = readFileSync(fileIn(dataFolder), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const lines = text.split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3] ?? 0) };
}

/**
 * After a crash of the whole machine or container, another program may have got the dead server's process id, and then
 * Postgres takes it for itself. Only Linux says what a process is; elsewhere nothing is removed.
 * @returns true when the file was stale in this way and has been removed
 */
export function removeForeignPidFile(dataFolder: string): boolean {
  const written = readPidFile(dataFolder);
  if (!written || process.platform !== 'linux') return false;
  let name: string;
  try {
    name = readFileSync(`/proc/${written.pid}/comm`, 'utf8').trim();
  } catch {
    return false; // no such process: Postgres itself sees that and starts
  }
  if (name === 'postgres') return false;
  rmSync(fileIn(dataFolder), { force: true });
  return true;
}
