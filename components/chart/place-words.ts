import { formatAbsolute, formatClock, formatDuration, formatMetric } from '../format.ts';
import type { XAxis } from './axes.ts';
import { formatTick } from './ticks.ts';

/** "step 1,200", "epoch 2.5", "12 min 30 s", "14:05:30" @param isLong with the date */
export function placeWords(x: number, axis: XAxis, isLong = false): string {
  if (axis === 'elapsed') return formatDuration(x * 1000);
  if (axis === 'clock') return isLong ? formatAbsolute(x * 1000) : formatClock(x * 1000);
  if (axis === 'step') return `step ${Math.round(x).toLocaleString('en')}`;
  return `epoch ${Number.isInteger(x) ? x : formatTick(x)}`;
}

/** The same in a column that says what it counts. */
export const placeCell = (x: number, axis: XAxis): string =>
  axis === 'step' || axis === 'epoch'
    ? x.toLocaleString('en', { maximumFractionDigits: 4 })
    : placeWords(x, axis, true);

export const bandWords = (low: number | null | undefined, high: number | null | undefined): string =>
  low === null || low === undefined || high === null || high === undefined || low === high
    ? ''
    : `[${formatMetric(low)}, ${formatMetric(high)}]`;
