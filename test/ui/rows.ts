/** Rows of a top-1 table for tests, complete but for what a test is about. */
import type { PairedDifference, Top1Row, Top1Value } from '@mealtable/protocol/views';

export const seedValue = (seed: number, top1: number | null): Top1Value => ({
  runId: `run_${seed}`,
  seed,
  status: 'succeeded',
  top1,
  epoch: 1,
  last: top1,
  testBest: null,
  testLatest: null,
});

export const row = (part: Partial<Top1Row> & Pick<Top1Row, 'role' | 'label' | 'variantId'>): Top1Row => ({
  levels: null,
  network: 'resnet18',
  inputSize: 32,
  isReference: false,
  values: [],
  n: 0,
  mean: null,
  std: null,
  bestEpoch: null,
  difference: null,
  isBest: false,
  isWithinNoiseOfBest: false,
  ...part,
});

/** A difference with an interval, complete but for what a test is about. */
export const difference = (part: Partial<PairedDifference> = {}): PairedDifference => ({
  mean: 1.5,
  std: 0.5,
  n: 3,
  leftOut: 0,
  interval: { low: 0.258, high: 2.742 },
  p: 0.0351,
  ...part,
});
