import { renameSync, statSync } from 'node:fs';

/** A log above this is set aside at the next start; the one before it is dropped. */
const MAX_LOG_BYTES = 5_000_000;

export function rotateLog(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(file, `${file}.old`);
}
