/** What the trainer of a chaos test writes: pure functions, so that what must be stored is known without having seen it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What is the same for all trainers of one test; `plan.json` in its folder. */
export const ChaosPlan = z.strictObject({
  /** Each trainer leaves a second name of its record file here, `<runId>.<attempt>`. */
  keptDir: z.string(),
  /** File with the number of faults so far: a run goes on with them, so that all of it is under fire. */
  paceFile: z.string(),
  steps: z.int(),
  checkpointEvery: z.int(),
  /** By seed: the numbers of faults between which it does its steps. */
  windows: z.record(z.string(), z.tuple([z.number(), z.number()])),
  /** Seed of the run whose loss becomes NaN in its last step. */
  divergingSeed: z.int().nullable(),
});
export type ChaosPlan = z.infer<typeof ChaosPlan>;

/** A whole number that run and step decide, and in its fraction the attempt that computed it. */
export function lossOf(runId: string, attempt: number, step: number): number {
  return createHash('sha256').update(`${runId} ${step}`).digest().readUInt32LE() + attempt / 1024;
}

export const lineOf = (runId: string, attempt: number, step: number) => `${runId}.${attempt} has done step ${step}`;

/** Bytes of a file of the checkpoint at this step, whichever attempt saves it. */
export function contentOf(runId: string, step: number, name: string): Buffer {
  return Buffer.from(`${name} of ${runId} at step ${step}\n`.repeat(100));
}

/** Percent; the last checkpoint is the best one. */
export const top1Of = (step: number) => step / 16;

export const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
