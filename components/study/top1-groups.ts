/** The top-1 table's rows by role, with what is worth pointing at. */
import type { RunRole } from '@mealtable/protocol/statuses';
import type { Top1Row } from '@mealtable/protocol/views';

export interface Top1Group {
  role: RunRole;
  rows: Top1Row[];
}
const ORDER: readonly RunRole[] = ['teacher', 'baseline', 'student'];

export const groupRows = (rows: readonly Top1Row[]): Top1Group[] =>
  ORDER.map((role) => ({ role, rows: rows.filter((row) => row.role === role) })).filter(({ rows }) => rows.length > 0);

export const hasStrip = (row: Pick<Top1Row, 'role'>): boolean => row.role !== 'teacher';

/**
 * Range of the seeds that count, widened so that none sits on the edge; null without any. Teachers are far above and
 * have one seed each, unfinished runs far below: with them on the scale the students could not be told apart.
 */
export function valueRange(rows: readonly Top1Row[]): { min: number; max: number } | null {
  const values = rows
    .filter(hasStrip)
    .flatMap((row) =>
      row.values.flatMap(({ top1, status }) => (top1 !== null && status === 'succeeded' ? [top1] : [])),
    );
  if (values.length === 0) return null;
  const min = Math.min(...values);
  const max = Math.max(...values);
  const pad = Math.max(0.25, (max - min) * 0.06);
  return { min: min - pad, max: max + pad };
}
