import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { hasCode } from './atomic-file.ts';

/** Enough for the last lines, however much a library printed before. */
const TAIL_BYTES = 256 * 1024;

/** The last lines that are not blank of what a process printed; none when the file is absent. */
export function readLastLines(path: string, count: number): string[] {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(0, size - TAIL_BYTES);
    const bytes = Buffer.alloc(size - start);
    const length = readSync(fd, bytes, 0, bytes.length, start);
    const lines = bytes.toString('utf8', 0, length).split(/\r?\n/);
    if (start > 0) lines.shift();
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } finally {
    closeSync(fd);
  }
}
