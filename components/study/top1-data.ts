/** A study's rows as the chosen metric and reference make them: what its tables and effects show. */

import { withMetric } from '@mealtable/protocol/top1-metrics';
import { buildEffects, buildTop1Table } from '@mealtable/protocol/top1-table';
import type { StudyEffects, Top1Row } from '@mealtable/protocol/views';
import type { TableView } from './table-view.ts';

type Choice = Pick<TableView, 'metric' | 'reference'>;

/** One that the study does not have (any more) falls back to the study's own; null where it has none. */
export const referenceOf = (rows: readonly Top1Row[], chosen: string | null): string | null =>
  (rows.find(({ variantId }) => variantId === chosen) ?? rows.find(({ isReference }) => isReference))?.variantId ??
  null;

/** @param rows as the hub sends them: of the best epoch, with the study's own reference */
export const chooseRows = (rows: readonly Top1Row[], { metric, reference }: Choice): Top1Row[] =>
  buildTop1Table(withMetric(rows, metric), referenceOf(rows, reference));

export const chooseEffects = (rows: readonly Top1Row[], { metric, reference }: Choice): StudyEffects =>
  buildEffects(withMetric(rows, metric), referenceOf(rows, reference));
