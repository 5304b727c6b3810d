/** Datasets of this host: the built-in demo data, and those given by flags. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { DatasetName } from '@mealtable/protocol/run-config';
import { isValidationOnly } from '@mealtable/protocol/validation-only';
import type { Dataset } from '../data/dataset.ts';

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

/** Null when the hub can know a dataset by this name; otherwise what to do. */
export function findNameProblem(name: string, path: string): string | null {
  const problem = DatasetName.safeParse(name).error?.issues[0]?.message;
  return problem === undefined ? null : `Rename the folder ${path}: ${problem}`;
}

/** @param problems on top of the dataset's own */
export function reportDataset(name: string, dataset: Dataset, problems: readonly string[]): DatasetReport {
  return {
    name,
    classNames: dataset.classNames,
    classLabels: dataset.classLabels,
    trainCount: dataset.splits.train.length,
    valCount: dataset.splits.val.length,
    fingerprint: dataset.fingerprint,
    problems: [...dataset.problems, ...problems],
  };
}

/** For the agent's log. */
export function describeDataset(report: DatasetReport): string {
  const { trainCount, valCount, problems } = report;
  if (problems.length > 0) return problems.join(' ');
  return isValidationOnly(report) ? `${valCount} images, validation only` : `${trainCount} + ${valCount} images`;
}

export function reportUnusable(name: string, problem: string): DatasetReport {
  return {
    name,
    classNames: [],
    classLabels: null,
    trainCount: 0,
    valCount: 0,
    fingerprint: '',
    problems: [problem],
  };
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
