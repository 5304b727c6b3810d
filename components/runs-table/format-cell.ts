/** Values of the table as text. */
import type { RunField } from '@mealtable/protocol/run-query-fields';
import { bestOf } from '@mealtable/protocol/run-query-metrics';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import { formatAbsolute, formatCount, formatDuration, formatMetric, formatPercent, NONE } from '../format.ts';

/** Percent, as everywhere on the page. */
const PERCENTS = new Set(['top1', 'lastTop1', 'progress']);
const isPercent = (field: RunField): boolean =>
  PERCENTS.has(field.name) ||
  (field.metric !== undefined &&
    /(^|\/)top\d+$/.test(field.metric.name) &&
    bestOf(field.metric.name) === 'max' &&
    isValue(field));
/** Not an epoch, a step or a count. */
const isValue = ({ metric }: RunField): boolean =>
  metric !== undefined && ['best', 'last', 'min', 'max'].includes(metric.summary);

/** Settings are shown to the last digit, measurements to the fourth. */
export function formatCell(cell: RunCell | undefined, field: RunField): string {
  if (cell === null || cell === undefined) return NONE;
  if (typeof cell === 'boolean') return cell ? 'true' : 'false';
  if (typeof cell === 'object') return cell.join(', ');
  if (typeof cell === 'string') return cell;
  if (field.kind === 'duration') return formatDuration(cell);
  if (field.kind === 'date') return formatAbsolute(cell);
  if (isPercent(field) && Number.isFinite(cell)) return formatPercent(cell);
  if (isValue(field)) return formatMetric(cell);
  if (['steps', 'totalSteps', 'parameters'].includes(field.name)) return formatCount(cell);
  return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(12)));
}

/** Means have more digits than the values that they are of. */
export function formatMean(value: number, field: RunField): string {
  if (field.kind === 'duration') return formatDuration(value);
  return isPercent(field) ? formatPercent(value) : formatMetric(value);
}

/** Days of groups. */
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });
export function formatGroupValue(value: RunCell, field: RunField | undefined): string {
  if (value === null) return 'none';
  if (field?.kind === 'date' && typeof value === 'number') return day.format(value);
  return field ? formatCell(value, field) : String(value);
}
