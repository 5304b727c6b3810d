/** Events as pages read them, newest first. */
import { type EventKind, type EventPage, type EventView, NOTICE_KINDS } from '@mealtable/protocol/events';
import type { Queryable } from '../runs/summary.ts';

interface EventRow {
  id: string;
  at: Date;
  kind: EventKind;
  study_id: string | null;
  study_name: string | null;
  run_id: string | null;
  host_id: string | null;
  detail: Record<string, unknown>;
}

/** SQL: all of EventRow, of event `e`, to be followed by a condition. */
export const SELECT_EVENTS = `
  SELECT e.id, e.at, e.kind, e.study_id, s.name AS study_name, e.run_id, e.host_id, e.detail
  FROM events e LEFT JOIN studies s ON s.id = e.study_id`;

export function toEventView(row: EventRow): EventView {
  return {
    ...row.detail,
    kind: row.kind,
    id: Number(row.id),
    at: row.at.getTime(),
    studyId: row.study_id,
    studyName: row.study_name,
    runId: row.run_id,
    hostId: row.host_id,
  } as EventView;
}

/** @param before id of the event that the page ends before; null for the newest @param kinds of events; all without it */
export async function loadStudyEvents(
  db: Queryable,
  studyId: string,
  before: number | null,
  limit: number,
  kinds: readonly EventKind[] | null = null,
): Promise<EventPage> {
  const { rows } = await db.query<EventRow>(
    `${SELECT_EVENTS} WHERE e.study_id = $1 AND ($2::bigint IS NULL OR e.id < $2)
       AND ($4::text[] IS NULL OR e.kind = ANY($4)) ORDER BY e.id DESC LIMIT $3`,
    [studyId, before, limit + 1, kinds],
  );
  return { events: rows.slice(0, limit).map(toEventView), hasOlder: rows.length > limit };
}

/** What the bell shows. */
export async function loadNotices(db: Queryable, limit: number): Promise<EventView[]> {
  const { rows } = await db.query<EventRow>(`${SELECT_EVENTS} WHERE e.kind = ANY($1) ORDER BY e.id DESC LIMIT $2`, [
    NOTICE_KINDS,
    limit,
  ]);
  return rows.map(toEventView);
}
