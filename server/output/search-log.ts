/** Searching a run's log. Each call looks at a bounded piece from the end on, and says where to go on. */
import { AppError } from '@mealtable/protocol/errors';
import { LOG_SOURCES, type LogSource } from '@mealtable/protocol/output';
import {
  LOG_END,
  type LogHit,
  type LogPlace,
  type LogSearchPage,
  type LogSearchRequest,
} from '@mealtable/protocol/run-log';
import { readPattern } from '@mealtable/protocol/search-pattern';
import type { RecordCursor } from '@mealtable/protocol/views';
import type pg from 'pg';
import { sourceSql } from './read-log.ts';

export interface SearchLimits {
  /** Lines of each source that one call looks at. */
  linesPerCall: number;
  /** Of each source. */
  hitsPerCall: number;
  /** A pattern that takes longer is given up. */
  timeoutMs: number;
}
export const searchLimits: SearchLimits = { linesPerCall: 50_000, hitsPerCall: 2_000, timeoutMs: 5_000 };

/** An invalid regular expression, and one that Postgres finds too complex. */
const BAD_PATTERN: ReadonlySet<unknown> = new Set(['2201B']);
const TOOK_TOO_LONG = '57014';
/** Colours are no part of what is searched. Most lines have none. */
const PLAIN = `CASE WHEN strpos(l.line, chr(27)) > 0
  THEN regexp_replace(l.line, chr(27) || '\\[[0-9;:]*m', '', 'g') ELSE l.line END`;

interface Piece {
  hits: LogHit[];
  scanned: number;
  /** Where this source goes on; null at its beginning. */
  next: RecordCursor | null;
}

/**
 * Lines with the text in them, in any case of letters.
 * @throws {AppError} invalid, for a pattern that cannot be searched for
 */
export async function searchLog(
  pool: pg.Pool,
  request: LogSearchRequest,
  limits: SearchLimits = searchLimits,
): Promise<LogSearchPage> {
  const matches = toCondition(request);
  const before = request.before ?? LOG_END;
  const next: LogPlace = { ...before };
  const page: LogSearchPage = { hits: [], scanned: 0, next: null };
  const client = await pool.connect();
  try {
    await client.query('BEGIN READ ONLY');
    await client.query(`SET LOCAL statement_timeout = ${limits.timeoutMs}`);
    for (const source of LOG_SOURCES) {
      if (!request.filter.sources.includes(source)) continue;
      const piece = await searchSource(client, request, source, before[source], matches, limits);
      page.hits.push(...piece.hits);
      page.scanned += piece.scanned;
      next[source] = piece.next ?? { attempt: 0, seq: 0 };
      if (piece.next) page.next = next;
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw explain(error);
  } finally {
    client.release();
  }
  page.hits.sort((a, b) => b.attempt - a.attempt || b.at - a.at || b.seq - a.seq);
  return page;
}

async function searchSource(
  client: pg.PoolClient,
  { id, filter, attempt }: LogSearchRequest,
  source: LogSource,
  cursor: RecordCursor,
  matches: { sql: string; value: string },
  { linesPerCall, hitsPerCall }: SearchLimits,
): Promise<Piece> {
  const { from } = sourceSql(source, filter);
  const { rows } = await client.query<{ hits: { attempt: number; seq: number; at: number }[] | null } & Floor>(
    `WITH piece AS MATERIALIZED (
       SELECT p.* FROM run_attempts a CROSS JOIN LATERAL (
         SELECT l.attempt, l.seq, l.at, ${matches.sql} AS is_hit FROM ${from}
           AND l.seq < (CASE WHEN a.attempt < $2 THEN 2147483647 ELSE $3 END)
         ORDER BY l.seq DESC LIMIT $5
       ) p
       WHERE a.run_id = $1 AND a.attempt <= $2 AND ($6::int IS NULL OR a.attempt = $6)
       ORDER BY p.attempt DESC, p.seq DESC LIMIT $5
     ), hits AS (SELECT attempt, seq, at FROM piece WHERE is_hit ORDER BY attempt DESC, seq DESC LIMIT $7)
     SELECT (SELECT count(*)::int FROM piece) AS scanned,
            (SELECT json_agg(json_build_object('attempt', attempt, 'seq', seq, 'at', extract(epoch FROM at) * 1000)) FROM hits) AS hits,
            f.attempt, f.seq
     FROM (SELECT 1) one LEFT JOIN (SELECT attempt, seq FROM piece ORDER BY attempt, seq LIMIT 1) f ON true`,
    [id, cursor.attempt, cursor.seq, matches.value, linesPerCall, attempt ?? null, hitsPerCall],
  );
  const { scanned, hits, ...floor } = rows[0]!;
  const found = (hits ?? []).map((hit) => ({ ...hit, source, at: Math.round(hit.at) }));
  // With more hits than are told of, the next call goes on below the last one told.
  const end = found.length === hitsPerCall ? found.at(-1)! : floor;
  const isWhole = found.length < hitsPerCall && scanned < linesPerCall;
  return { hits: found, scanned, next: isWhole ? null : { attempt: end.attempt!, seq: end.seq! } };
}

interface Floor {
  scanned: number;
  attempt: number | null;
  seq: number | null;
}

function toCondition({ text, isRegex }: LogSearchRequest): { sql: string; value: string } {
  if (!isRegex) return { sql: `strpos(lower(${PLAIN}), lower($4)) > 0`, value: text };
  const pattern = readPattern(text);
  if (!pattern.ok)
    throw new AppError('invalid', `Character ${pattern.position + 1} of the pattern: ${pattern.message}`);
  return { sql: `(${PLAIN}) ~* $4`, value: pattern.postgres };
}

function explain(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (BAD_PATTERN.has(code))
    return new AppError('invalid', `This pattern cannot be searched for: ${(error as Error).message}.`);
  if (code === TOOK_TOO_LONG)
    return new AppError('invalid', 'This pattern takes too long. Search for something simpler.');
  return error;
}
