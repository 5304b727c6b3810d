/** Reading a run's log: the sources are read by their own indices and merged by attempt and time. */
import { LOG_SOURCES, type LogSource } from '@mealtable/protocol/output';
import {
  LOG_BEGINNING,
  LOG_END,
  type LogFilter,
  type LogHit,
  type LogPageRequest,
  type LogPlace,
  type RunLogLine,
  type RunLogPage,
} from '@mealtable/protocol/run-log';
import type { RecordCursor } from '@mealtable/protocol/views';
import type { Queryable } from '../runs/summary.ts';

type Direction = 'older' | 'newer';

/** One source's lines in a table called `l`; its attempt comes from `a`, so that no other stream's entries are walked over. */
export function sourceSql(source: LogSource, filter: Pick<LogFilter, 'onlyProblems'>): { from: string; level: string } {
  const own = 'l.run_id = a.run_id AND l.attempt = a.attempt';
  if (source !== 'log') return { from: `output_lines l WHERE ${own} AND l.stream = '${source}'`, level: `'output'` };
  const problems = filter.onlyProblems ? ` AND l.level IN ('warning', 'error')` : '';
  return { from: `log_lines l WHERE ${own}${problems}`, level: 'l.level::text' };
}

async function readSource(
  db: Queryable,
  { id, filter, limit }: Pick<LogPageRequest, 'id' | 'filter' | 'limit'>,
  source: LogSource,
  direction: Direction,
  cursor: RecordCursor,
): Promise<RunLogLine[]> {
  const { from, level } = sourceSql(source, filter);
  const isOlder = direction === 'older';
  const order = isOlder ? 'DESC' : 'ASC';
  const bound = isOlder
    ? 'l.seq < (CASE WHEN a.attempt < $2 THEN 2147483647 ELSE $3 END)'
    : 'l.seq >= (CASE WHEN a.attempt > $2 THEN 0 ELSE $3 END)';
  const { rows } = await db.query<Omit<RunLogLine, 'source' | 'at'> & { at: Date }>(
    `SELECT p.* FROM run_attempts a CROSS JOIN LATERAL (
       SELECT l.attempt, l.seq, l.at, ${level} AS level, l.line FROM ${from} AND ${bound}
       ORDER BY l.seq ${order} LIMIT $4
     ) p
     WHERE a.run_id = $1 AND a.attempt ${isOlder ? '<=' : '>='} $2
     ORDER BY p.attempt ${order}, p.seq ${order} LIMIT $4`,
    [id, cursor.attempt, cursor.seq, limit],
  );
  return rows.map((row) => ({ ...row, source, at: row.at.getTime() }));
}

/** Whether `a` comes before `b` in the merged log. Within a source the number decides, whatever the clock did. */
const isBefore = (a: RunLogLine, b: RunLogLine): boolean => {
  if (a.attempt !== b.attempt) return a.attempt < b.attempt;
  if (a.at !== b.at) return a.at < b.at;
  return LOG_SOURCES.indexOf(a.source) < LOG_SOURCES.indexOf(b.source);
};

/** The first lines of lists that are each in reading order. */
function mergeHeads(lists: readonly RunLogLine[][], limit: number, isFirst: typeof isBefore): RunLogLine[] {
  const heads = lists.map(() => 0);
  const merged: RunLogLine[] = [];
  while (merged.length < limit) {
    let best = -1;
    for (const [i, list] of lists.entries()) {
      const line = list[heads[i]!];
      if (line && (best < 0 || isFirst(line, lists[best]![heads[best]!]!))) best = i;
    }
    if (best < 0) break;
    merged.push(lists[best]![heads[best]!++]!);
  }
  return merged;
}

const at = ({ attempt, seq }: RunLogLine): RecordCursor => ({ attempt, seq });
const behind = ({ attempt, seq }: RunLogLine): RecordCursor => ({ attempt, seq: seq + 1 });

/** The newest lines before a place, or of all. */
export async function readOlder(db: Queryable, request: LogPageRequest): Promise<RunLogPage> {
  const before = request.before ?? LOG_END;
  const wanted = { ...request, limit: request.limit + 1 };
  const lists = await Promise.all(
    request.filter.sources.map((source) => readSource(db, wanted, source, 'older', before[source])),
  );
  const lines = mergeHeads(lists, request.limit, (a, b) => isBefore(b, a)).reverse();
  const from: LogPlace = { ...before };
  // From the newest to the oldest, so that the oldest stays.
  for (const line of lines.toReversed()) from[line.source] = at(line);
  const to: LogPlace = request.before ? { ...request.before } : { ...LOG_BEGINNING };
  if (!request.before)
    for (const list of lists) {
      if (list[0]) to[list[0].source] = behind(list[0]);
    }
  return { lines, from, to, hasMore: lists.reduce((sum, list) => sum + list.length, 0) > lines.length };
}

/** The oldest lines after a place. */
export async function readNewer(db: Queryable, request: LogPageRequest): Promise<RunLogPage> {
  const after = request.after ?? LOG_BEGINNING;
  const wanted = { ...request, limit: request.limit + 1 };
  const lists = await Promise.all(
    request.filter.sources.map((source) => readSource(db, wanted, source, 'newer', after[source])),
  );
  const lines = mergeHeads(lists, request.limit, isBefore);
  const to: LogPlace = { ...after };
  for (const line of lines) to[line.source] = behind(line);
  return { lines, from: { ...after }, to, hasMore: lists.reduce((sum, list) => sum + list.length, 0) > lines.length };
}

/** The place before a line. In the other sources it is looked for by time, in the logarithm of their length. */
export async function findPlace(db: Queryable, runId: string, hit: LogHit): Promise<LogPlace> {
  const place: LogPlace = { ...LOG_BEGINNING, [hit.source]: { attempt: hit.attempt, seq: hit.seq } };
  for (const source of LOG_SOURCES)
    if (source !== hit.source)
      place[source] = { attempt: hit.attempt, seq: await findSeq(db, runId, hit.attempt, source, hit.at) };
  return place;
}

/** The first number of a source whose line is not older. */
async function findSeq(db: Queryable, runId: string, attempt: number, source: LogSource, since: number) {
  const { from } = sourceSql(source, { onlyProblems: false });
  const look = async (seq: number, order: 'ASC' | 'DESC') => {
    const { rows } = await db.query<{ seq: number; at: Date }>(
      `SELECT l.seq, l.at FROM (SELECT $1::text AS run_id, $2::int AS attempt) a, ${from} AND l.seq >= $3
       ORDER BY l.seq ${order} LIMIT 1`,
      [runId, attempt, seq],
    );
    return rows[0];
  };
  let low = 0;
  let high = ((await look(0, 'DESC'))?.seq ?? -1) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await look(middle, 'ASC');
    if (line && line.at.getTime() < since) low = line.seq + 1;
    else high = middle;
  }
  return low;
}
