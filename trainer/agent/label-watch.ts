/** Keeps the reports on this host's soft labels true while the agent runs: trainers add labels, people delete folders. */
import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { LabelSetReport } from '@mealtable/protocol/agent-messages';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { LabelKey } from '../labels/key.ts';
import { LabelCounter } from '../labels/label-counter.ts';
import { readTeacherNotes, type TeacherNote } from '../labels/teacher-notes.ts';
import type { Log } from './log.ts';

/** Sets that are told, the newest ones, and their views: a report is one message. */
const MAX_SETS = 100;
const MAX_VIEWS = 1000;
/** Share of a set that has to be new before the hub is told while the set still grows. */
const WORTH_TELLING = 0.01;

export class LabelWatch {
  readonly #folder: string;
  readonly #log: Log;
  readonly #counters = new Map<string, LabelCounter>();
  #seen: LabelSetReport[] = [];
  #looking: Promise<boolean> | null = null;
  #toldFault: string | null = null;
  /** As they were last worth telling; the newest sets first. */
  reports: LabelSetReport[] = [];

  /** @param folder of all keys' labels */
  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /**
   * Counts what is new. @returns whether `reports` changed: sets came or went, or have a percent more labels, or have some more and
   * did not grow since the last look. A call during another joins it
   */
  refresh(): Promise<boolean> {
    this.#looking ??= this.#refresh().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #refresh(): Promise<boolean> {
    const before = this.#seen;
    try {
      this.#seen = await this.#look();
      this.#toldFault = null;
    } catch (error) {
      // A folder that cannot be read (EACCES, EIO, a network disk that is away): what was known stays until it can.
      const { message } = error as Error;
      if (message !== this.#toldFault) this.#log(`The soft labels of this host cannot be counted: ${message}`);
      this.#toldFault = message;
      return false;
    }
    const isSettled = isDeepStrictEqual(before, this.#seen);
    if (!isWorthTelling(this.reports, this.#seen, isSettled)) return false;
    this.reports = this.#seen;
    return true;
  }

  async #look(): Promise<LabelSetReport[]> {
    const names = listSets(this.#folder);
    for (const name of this.#counters.keys()) if (!names.includes(name)) this.#counters.delete(name);
    const notes = readTeacherNotes(this.#folder);
    const found: { newest: string; report: LabelSetReport }[] = [];
    for (const name of names) {
      const counter = this.#counters.get(name) ?? new LabelCounter(this.#folder, name);
      this.#counters.set(name, counter);
      await counter.refresh();
      if (counter.key === null || !isUsedHere(counter.key)) continue;
      const report = { ...describeKey(counter.key, notes), key: name, labelled: counter.countViews(MAX_VIEWS) };
      found.push({ newest: counter.newest, report });
    }
    found.sort((a, b) => (a.newest < b.newest ? 1 : -1));
    return found.slice(0, MAX_SETS).map(({ report }) => report);
  }
}

function listSets(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Whether trainers of this version read such a set. */
const isUsedHere = ({ teachers, ensemble, views }: LabelKey): boolean =>
  views.interpolation === REFERENCE_VIEWS.interpolation && (ensemble.kind === 'mean-logit') === teachers.length > 1;

function describeKey(key: LabelKey, notes: ReadonlyMap<string, TeacherNote>): Omit<LabelSetReport, 'key' | 'labelled'> {
  return {
    fingerprint: key.dataset.fingerprint,
    imageCount: key.dataset.imageCount,
    teachers: key.teachers.map(({ share, ...teacher }) => ({
      ids: [...notes].filter(([, note]) => isDeepStrictEqual(note, teacher)).map(([id]) => id),
      share,
    })),
    temperature: key.ensemble.temperature,
    inputSize: key.views.inputSize,
    augmentationSeed: key.views.augmentationSeed,
    precision: key.precision,
    classCount: key.classCount,
    keep: key.labels.kind === 'full' ? 'full' : key.labels.k,
    logits: key.meanLogits,
  };
}

function isWorthTelling(told: readonly LabelSetReport[], seen: readonly LabelSetReport[], isSettled: boolean): boolean {
  if (isDeepStrictEqual(told, seen)) return false;
  const facts = (reports: readonly LabelSetReport[]) => reports.map(({ labelled: _, ...rest }) => rest);
  if (isSettled || !isDeepStrictEqual(facts(told), facts(seen))) return true;
  const sum = (labelled: readonly number[]) => labelled.reduce((a, b) => a + b, 0);
  return seen.some(({ labelled, imageCount }, i) => {
    const total = imageCount * Math.max(1, labelled.length);
    return Math.abs(sum(labelled) - sum(told[i]!.labelled)) >= WORTH_TELLING * total;
  });
}
