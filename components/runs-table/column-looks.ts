/** How wide the columns usually are, which way their numbers stand, and what sorts downwards first. */
import type { TableColumn } from '@mealtable/protocol/run-query-address';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import { bestOf } from '@mealtable/protocol/run-query-metrics';

export const ROW_HEIGHT = 36;
export const HEAD_HEIGHT = 34;
export const SELECT_WIDTH = 40;

const WIDTHS: Record<string, number> = {
  status: 124,
  variant: 280,
  seed: 76,
  progress: 112,
  top1: 108,
  bestEpoch: 112,
  epoch: 88,
  epochs: 92,
  host: 120,
  failureMessage: 320,
  teachers: 240,
  id: 248,
};
const KIND_WIDTHS: Record<RunField['kind'], number> = {
  number: 120,
  text: 180,
  choice: 120,
  list: 200,
  boolean: 100,
  duration: 116,
  date: 112,
};

/** On a phone names leave room for what is read beside them. */
const NARROW_VIEW = 480;
const NARROW_WIDTH = 190;

/** Room for a mean's spread and count. */
const MEAN_WIDTH = 184;

/** @param viewWidth pixels of the table on the page */
export function widthOf(
  { width, field: name }: TableColumn,
  field: RunField,
  { viewWidth, isGrouped }: { viewWidth: number; isGrouped: boolean },
): number {
  if (width !== null) return width;
  if (isGrouped && isAveraged(field)) return MEAN_WIDTH;
  if (viewWidth > 0 && viewWidth < NARROW_VIEW && field.name === 'variant') return NARROW_WIDTH;
  if (field.group === 'metric') return Math.min(240, Math.max(124, 44 + field.words.length * 7));
  return WIDTHS[name] ?? KIND_WIDTHS[field.kind];
}

/** Of a group's runs; what only names a run or a time says nothing on average. */
const isAveraged = (field: RunField): boolean =>
  (field.kind === 'number' || field.kind === 'duration') && !['seed', 'priority', 'attempt'].includes(field.name);

export const isRightAligned = (field: RunField): boolean =>
  (field.kind === 'number' && field.name !== 'progress') || field.kind === 'duration';

/** The best or the newest first. */
export function sortsDownFirst(field: RunField): boolean {
  if (field.metric) return bestOf(field.metric.name) !== 'min' && !/(Epoch|Step)$/.test(field.metric.summary);
  return ['top1', 'lastTop1', 'progress', 'created', 'started', 'finished', 'priority'].includes(field.name);
}
