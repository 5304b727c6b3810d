/** What a study's page begins with: all but its runs and what is reckoned from them. Times are milliseconds since 1970. */
import { z } from 'zod';
import { StudyId } from './ids.ts';
import type { RunStatus } from './statuses.ts';
import type { StudyDesign } from './study-design.ts';
import type { RunSummaryView, Top1Row } from './views.ts';

export const Question = z.string().trim().max(300, 'A question has at most 300 characters.');
export const Notes = z.string().max(20_000, 'Notes have at most 20,000 characters.');

const was = z.string().max(20_000);
/** A change of a text: `was` is what it was made from, so that nobody overwrites unseen what somebody else has written. */
export const TextChange = z.discriminatedUnion('field', [
  z.strictObject({ id: StudyId, field: z.literal('question'), was, text: Question }),
  z.strictObject({ id: StudyId, field: z.literal('notes'), was, text: Notes }),
]);
export type TextChange = z.infer<typeof TextChange>;

export interface StudyOverview {
  id: string;
  name: string;
  /** What the study is to answer, in a sentence; empty where nobody said. */
  question: string;
  /** Markdown. */
  notes: string;
  createdAt: number;
  /** Empty where the member is gone. */
  createdBy: string;
  design: StudyDesign;
  /** What teachers of the design that are runs are called, by the run's id. */
  runNames: Record<string, string>;
  /** Runs at once, at most; null for as many as there are slots. */
  maxConcurrent: number | null;
  variantCount: number;
  runCount: number;
  /** Those of them that train for the study's number of epochs: students and the student alone. */
  comparedCount: number;
}

/** What a study's tables and curves are drawn from. */
export interface StudyTable {
  referenceVariantId: string | null;
  rows: Top1Row[];
  /** All of the study, variant by variant. */
  runs: StudyRun[];
}
export type StudyRun = Pick<RunSummaryView, 'id' | 'variantId' | 'seed' | 'status' | 'startedAt'>;

/** How far a study is, and how long it still takes. */
export interface StudyProgress {
  counts: Record<RunStatus, number>;
  /** Of the queued ones, those that are held back. */
  paused: number;
  left: TimeLeft;
}
export type TimeLeft =
  /** Nothing is left to do. */
  | { kind: 'done' }
  | {
      kind: 'estimate';
      ms: number;
      /** More than this it may well be, for these reasons. */
      atLeast: LeftOut[];
      /** Runs that were counted, and how many of them train at once: as many as do so now. */
      runs: number;
      atOnce: number;
    }
  | { kind: 'unknown'; why: 'paused' | 'nothing-runs' | 'no-pace' };
/** What an estimate does not hold. */
export type LeftOut =
  /** Runs like none that has made a step yet. */
  | { kind: 'unlike'; runs: number }
  | { kind: 'paused'; runs: number }
  /** Runs of other studies that are taken before the next one of this. */
  | { kind: 'queue'; runs: number };
