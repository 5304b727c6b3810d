import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';

const NEWLINE = 0x0a;

/** Cuts the record with this number and all that follow off the file. Records are numbered from 1, one a line, without gaps. */
export function cutRecordsFrom(path: string, seq: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, startOfLine(fd, seq - 1));
  } finally {
    closeSync(fd);
  }
}

/** @param line counted from 0 */
function startOfLine(fd: number, line: number): number {
  const buffer = Buffer.allocUnsafe(1 << 20);
  let base = 0;
  for (let left = line; ; ) {
    if (left === 0) return base;
    const count = readSync(fd, buffer, 0, buffer.length, base);
    const at = nthNewline(buffer.subarray(0, count), left);
    if (at.found === left) return base + at.end;
    if (count === 0) return base;
    left -= at.found;
    base += count;
  }
}

/** Byte after the nth newline, or how many there are when there are fewer. */
function nthNewline(bytes: Buffer, n: number): { found: number; end: number } {
  let found = 0;
  let end = 0;
  while (found < n) {
    const at = bytes.indexOf(NEWLINE, end);
    if (at < 0) break;
    found++;
    end = at + 1;
  }
  return { found, end };
}
