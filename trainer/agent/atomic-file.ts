/** Small files of the state folder: whole or absent, also after a power cut. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { z } from 'zod';
import type { Log } from './log.ts';

/** Writes to a neighbour, then renames it into place. Throws file errors (ENOSPC, EACCES). */
export function writeFileAtomic(path: string, text: string): void {
  const temp = `${path}.${process.pid}.tmp`;
  const fd = openSync(temp, 'w');
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
}

/** The file's value, or null when the file is absent or not what the schema says (another version wrote it). */
export function readJson<T>(path: string, schema: z.ZodType<T>): T | null {
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** For notes that only spare the next agent a detour: a full disk is said and does not stop what must go on. */
export function writeOrLog(log: Log, write: () => void): void {
  try {
    write();
  } catch (error) {
    log(`A note in the state folder could not be written: ${(error as Error).message}`);
  }
}
