/** Keeps the reports on this host's datasets true while the agent runs: folders come, change and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open-dataset.ts';
import { findNameProblem, reportDataset, reportUnusable } from './datasets.ts';

export interface DatasetWatchOptions {
  /** Folders by dataset name, as they are now. */
  find: () => Map<string, string>;
  /** Where indices of large datasets are kept; null to keep none. */
  cacheFolder: string | null;
  /** Decodes a sample of a dataset's images; sentences about what is wrong with them. */
  checkImages: (path: string) => Promise<string[]>;
}

interface Known {
  dataset: Dataset;
  /** What the sample of images showed. */
  imageProblems: string[];
}

export class DatasetWatch {
  readonly #options: DatasetWatchOptions;
  readonly #known = new Map<string, Known>();
  /** By name and folder. */
  readonly #reading = new Map<string, Promise<void>>();
  /** Folders by dataset name: always the same map, changed in place. */
  readonly paths = new Map<string, string>();
  /** In the order of the names. A folder that cannot be used is reported too, with the problem. */
  reports: DatasetReport[] = [];

  constructor(options: DatasetWatchOptions) {
    this.#options = options;
  }

  /**
   * Looks at every dataset and reads those that have changed. Reading that takes longer than `patienceMs` goes on; the report
   * says so until a later call finds it done. @returns whether `reports` or `paths` changed
   */
  async refresh(patienceMs: number): Promise<boolean> {
    const before = JSON.stringify([this.reports, ...this.paths]);
    const found = [...this.#find()].sort(([a], [b]) => (a < b ? -1 : 1));
    this.paths.clear();
    for (const [name, path] of found) this.paths.set(name, path);
    for (const key of this.#known.keys()) if (!found.some((entry) => keyOf(entry) === key)) this.#known.delete(key);
    const reading = found.flatMap((entry) => this.#read(entry) ?? []);
    if (reading.length > 0) await withPatience(Promise.all(reading), patienceMs);
    this.reports = found.map((entry) => this.#reportOf(entry));
    return JSON.stringify([this.reports, ...this.paths]) !== before;
  }

  #find(): Map<string, string> {
    try {
      return this.#options.find();
    } catch {
      // The folder of datasets is away, a network disk for example: what was there stays until it is back.
      return new Map(this.paths);
    }
  }

  #read([name, path]: [string, string]): Promise<void> | null {
    const key = keyOf([name, path]);
    if (findNameProblem(name, path) !== null) return null;
    const known = this.#known.get(key);
    if (!this.#reading.has(key) && (known === undefined || !isUpToDate(known.dataset))) {
      const reading = this.#open(path, known)
        .then((result) => void this.#known.set(key, result))
        .finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return this.#reading.get(key) ?? null;
  }

  async #open(path: string, before: Known | undefined): Promise<Known> {
    const dataset = await openDataset(path, this.#options.cacheFolder);
    if (dataset.problems.length > 0) return { dataset, imageProblems: [] };
    const isSame = before?.dataset.fingerprint === dataset.fingerprint && before.dataset.problems.length === 0;
    return { dataset, imageProblems: isSame ? before.imageProblems : await this.#options.checkImages(path) };
  }

  #reportOf([name, path]: [string, string]): DatasetReport {
    const badName = findNameProblem(name, path);
    if (badName !== null) return reportUnusable(name, badName);
    const known = this.#known.get(keyOf([name, path]));
    if (known) return reportDataset(name, known.dataset, known.imageProblems);
    return reportUnusable(name, `${path} is being read. It can be chosen when that is done.`);
  }
}

const keyOf = ([name, path]: readonly [string, string]) => `${name}\0${path}`;

function isUpToDate(dataset: Dataset): boolean {
  try {
    return dataset.isUpToDate();
  } catch {
    return false;
  }
}

async function withPatience(work: Promise<unknown>, patienceMs: number): Promise<void> {
  const timer = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([work, late]);
  timer.abort();
}
