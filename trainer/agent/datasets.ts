/** Image folders of this host: the built-in demo data, and those given by flags. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { DatasetName } from '@mealtable/protocol/run-config';
import { scanImageFolder } from '../data/image-folder.ts';

const DEMO = 'digits';

/**
 * Folders by dataset name. A dataset given by name wins over one of --datasets-dir, and both over the demo data.
 * @param programDir folder of the agent's program file; the demo data lie in or beside a folder above it
 */
export function findDatasets(
  given: Map<string, string>,
  datasetsDir: string | null,
  programDir: string,
): Map<string, string> {
  const demo = findUpwards(programDir, join('trainer', 'datasets', DEMO));
  return new Map([...(demo ? [[DEMO, demo] as const] : []), ...subfolders(datasetsDir), ...given]);
}

/** Reports in the order of the names. A folder that cannot be used is reported too, with the problem. */
export async function scanDatasets(datasets: Map<string, string>): Promise<DatasetReport[]> {
  const reports: DatasetReport[] = [];
  for (const [name, path] of [...datasets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const badName = DatasetName.safeParse(name).error?.issues[0]?.message;
    reports.push(badName ? unusable(name, `Rename the folder ${path}: ${badName}`) : await scan(name, path));
  }
  return reports;
}

async function scan(name: string, path: string): Promise<DatasetReport> {
  try {
    return { ...(await scanImageFolder(path)), name };
  } catch (error) {
    return unusable(name, `${path} cannot be read: ${(error as Error).message}`);
  }
}

function unusable(name: string, problem: string): DatasetReport {
  return { name, classNames: [], trainCount: 0, valCount: 0, fingerprint: '', problems: [problem] };
}

function subfolders(dir: string | null): [string, string][] {
  if (dir === null) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => [entry.name, join(dir, entry.name)]);
}

function findUpwards(from: string, relative: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, relative))) return join(folder, relative);
    if (folder === dirname(folder)) return null;
  }
}
