/** A run's log as a text file. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { AppError } from '@mealtable/protocol/errors';
import { RunId } from '@mealtable/protocol/ids';
import { LOG_SOURCES, LogSource, withoutStyles } from '@mealtable/protocol/output';
import { attemptBeginning, LOG_BEGINNING, LogFilter, type RunLogLine } from '@mealtable/protocol/run-log';
import { z } from 'zod';
import { nameFile } from '../checkpoints/download-name.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Queryable } from '../runs/summary.ts';
import { readNewer } from './read-log.ts';

const PAGE = 2_000;

const Query = z.object({
  /** `stdout,stderr`; all when left out. */
  sources: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(LogSource).min(1))
    .optional(),
  attempt: z.coerce.number().pipe(z.int32().min(1)).optional(),
});
type Query = z.infer<typeof Query>;

/** GET /api/runs/:runId/log - oldest line first: time, attempt, level or stream, text. Only `sources` and `attempt` where asked. */
export async function downloadLog({ hub, req, res, url, params }: Exchange): Promise<void> {
  const runId = RunId.safeParse(params.runId);
  const query = Query.safeParse(Object.fromEntries(url.searchParams));
  if (!query.success) {
    const issue = query.error.issues[0]!;
    throw new AppError('invalid', `${issue.path[0] as string}: ${issue.message}`);
  }
  const { rows } = await hub.pool.query<{ study: string; variant: string; seed: number }>(
    `SELECT s.name AS study, v.label AS variant, r.seed
     FROM runs r JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id WHERE r.id = $1`,
    [runId.data ?? ''],
  );
  if (!rows[0]) throw new AppError('not_found', `There is no run ${params.runId}.`);
  const { study, variant, seed } = rows[0];
  const { sources = [], attempt } = query.data;
  const parts = [study, variant, `seed${seed}`, ...(attempt ? [`attempt${attempt}`] : []), ...sources];
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Content-Disposition', `attachment; filename="${nameFile(parts)}.log"`);
  if (req.method === 'HEAD') return void res.end();
  try {
    await pipeline(Readable.from(writeLines(hub.pool, runId.data!, query.data)), res);
  } catch (error) {
    // The reader went away in the middle: nobody is left to be told.
    if (res.destroyed || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    throw error;
  }
}

async function* writeLines(db: Queryable, id: string, { sources, attempt }: Query): AsyncGenerator<string> {
  const filter = LogFilter.parse(sources ? { sources: LOG_SOURCES.filter((s) => sources.includes(s)) } : {});
  let after = attempt === undefined ? LOG_BEGINNING : attemptBeginning(attempt);
  for (;;) {
    const page = await readNewer(db, { id, filter, after, limit: PAGE });
    const lines = page.lines.filter((line) => attempt === undefined || line.attempt === attempt);
    if (lines.length > 0) yield `${lines.map(formatLine).join('\n')}\n`;
    if (!page.hasMore || lines.length < page.lines.length) return;
    after = page.to;
    await yieldToOthers();
  }
}

function formatLine({ at, attempt, source, level, line }: RunLogLine): string {
  return `${new Date(at).toISOString()} ${attempt} ${(source === 'log' ? level : source).padEnd(7)} ${withoutStyles(line)}`;
}
