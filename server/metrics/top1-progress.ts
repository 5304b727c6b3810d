/** The running summary of val/top1: best with its epoch, and last. */
import type { MetricsRecord } from '@mealtable/protocol/records';
import { fromWireNumber } from '@mealtable/protocol/wire-number';

export const VAL_TOP1 = 'val/top1';

export interface Top1Progress {
  best: number | null;
  bestEpoch: number | null;
  last: number | null;
}

/** Among equal values the earlier epoch stays best; values that are not finite are no result. */
export function foldTop1(progress: Top1Progress, records: readonly MetricsRecord[]): Top1Progress {
  let { best, bestEpoch, last } = progress;
  for (const { values, epoch } of records) {
    const wire = values[VAL_TOP1];
    if (wire === undefined) continue;
    const value = fromWireNumber(wire);
    if (!Number.isFinite(value)) continue;
    if (best === null || value > best) [best, bestEpoch] = [value, epoch];
    last = value;
  }
  return { best, bestEpoch, last };
}
