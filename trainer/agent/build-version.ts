import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * The package's version with a mark of the programs' bytes, as in 0.1.0+3fa9c2d1: two builds between releases are two versions, and the
 * hub asks a host again about a run that it refused with another one.
 */
export function buildVersion(version: string, programs: readonly string[]): string {
  const hash = createHash('sha256');
  for (const program of programs) hash.update(readFileSync(program));
  return `${version}+${hash.digest('hex').slice(0, 8)}`;
}
