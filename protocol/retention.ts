/** Which checkpoints of a run are kept, what would go under another rule, and what is on its way. */
import { z } from 'zod';

const whole = (name: string, least: number) =>
  z
    .int(`${name} is a whole number.`)
    .min(least, `${name} is at least ${least}.`)
    .max(1_000, `${name} is at most 1,000.`);

/** As a study has it; null is what the hub keeps anyway. */
export const RetentionChoice = z.strictObject({
  /** The best is always kept. */
  keptBest: whole('Best checkpoints kept', 1).nullable(),
  /** 0: a run that succeeded keeps nothing to go on from. All others keep the latest in any case. */
  keptLatest: whole('Latest checkpoints kept', 0).nullable(),
});
export type RetentionChoice = z.infer<typeof RetentionChoice>;

/** Of each run: so many with the highest top-1, and so many of the latest that can be gone on from. */
export interface RetentionRule {
  best: number;
  latest: number;
}

/**
 * best: among the best. latest: among the latest. arriving: its files are on their way. evaluation: an evaluation that has not
 * ended needs it. only: nothing later can be gone on from.
 */
export const KEEP_REASONS = ['best', 'latest', 'arriving', 'evaluation', 'only'] as const;
export type KeepReason = (typeof KEEP_REASONS)[number];

export interface RetentionPreview {
  /** What the study has now. */
  current: RetentionChoice;
  /** What null stands for on this hub. */
  defaults: RetentionRule;
  /** What would go, run by run; at most MAX_PREVIEW_CHECKPOINTS of them. */
  gone: {
    checkpointId: string;
    runId: string;
    variantLabel: string;
    seed: number;
    epoch: number;
    top1: number | null;
    files: number;
    sizeBytes: number;
  }[];
  goneCount: number;
  goneFiles: number;
  /** Bytes that become free on the hub: content that others share is not counted, the same content once. */
  freedBytes: number;
  /** Bytes of what goes whose content stays, because something else has it, too. */
  sharedBytes: number;
  keptCount: number;
  /** Of exactly this list: what is applied must be what was looked at. */
  fingerprint: string;
}
export const MAX_PREVIEW_CHECKPOINTS = 200;

export interface CheckpointStatusView {
  rule: RetentionRule;
  /** The study says so itself. */
  isOwnRule: boolean;
  /** By checkpoint. */
  kept: Record<string, KeepReason[]>;
  /** Files that have not arrived whole, by their hash: bytes that are on the hub. */
  arriving: Record<string, number>;
}
