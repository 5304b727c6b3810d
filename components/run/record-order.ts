/** Records of a run are ordered by attempt, then by their number within the attempt. */
import type { RecordCursor } from '@mealtable/protocol/views';

export const isAfter = (a: RecordCursor, b: RecordCursor | null): boolean =>
  b === null || a.attempt > b.attempt || (a.attempt === b.attempt && a.seq > b.seq);
