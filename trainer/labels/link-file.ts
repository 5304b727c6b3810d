/** A file under a second name, without its bytes being copied where the file system can do that. */
import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';

/** Of file systems that have no hard links, or none between the two places. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EXDEV', 'EMLINK', 'ENOSYS']);

/**
 * The whole file or none of it, in the place of whatever was there. Neither name may be written to afterwards.
 * @throws file errors (ENOENT, ENOSPC)
 */
export function linkFile(source: string, destination: string): void {
  const unfinished = `${destination}.${process.pid}.tmp`;
  rmSync(unfinished, { force: true });
  try {
    linkSync(source, unfinished);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(source, unfinished);
  }
  renameSync(unfinished, destination);
  // A rename between two names of one file does nothing, and leaves both.
  rmSync(unfinished, { force: true });
}
