/** Downloads of all points of a run or of a study. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mealtable/protocol/errors';
import { nameFile } from '../../checkpoints/download-name.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../../http/routes.ts';
import { toCsv, toJsonLines } from './csv.ts';
import { toParquet } from './parquet.ts';
import { type ExportedPage, findExportedRuns, readAllRecords } from './records.ts';

const FORMATS: Record<
  string,
  { type: string; write(pages: AsyncIterable<ExportedPage>): AsyncIterable<string | Buffer> }
> = {
  csv: { type: 'text/csv; charset=utf-8', write: toCsv },
  jsonl: { type: 'application/jsonl; charset=utf-8', write: toJsonLines },
  parquet: { type: 'application/vnd.apache.parquet', write: toParquet },
};

const route = (path: string): Route => ({
  methods: ['GET', 'HEAD'],
  path,
  access: { kind: 'member', role: 'viewer' },
  handle: sendPoints,
});
export const metricsExportRoutes: Route[] = [
  route('/api/runs/:runId/metrics/:format'),
  route('/api/studies/:studyId/metrics/:format'),
];

/**
 * Streams page by page, at the pace of whoever reads. A failure in the middle cuts the download off, so a file that has arrived
 * whole is whole.
 */
async function sendPoints({ hub, req, res, params }: Exchange): Promise<void> {
  const { runId, studyId, format = '' } = params;
  const known = Object.hasOwn(FORMATS, format) ? FORMATS[format]! : null;
  if (!known)
    throw new AppError('not_found', `Points can be had as ${Object.keys(FORMATS).join(', ')}, but not as ${format}.`);
  const runs = await findExportedRuns(hub.pool, runId === undefined ? { studyId: studyId ?? '' } : { runId });
  const { study, variant, seed } = runs[0]!;
  const parts = runId === undefined ? [study] : [study, variant, `seed${seed}`];
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', known.type);
  res.setHeader('Content-Disposition', `attachment; filename="${nameFile([...parts, 'metrics'])}.${format}"`);
  if (req.method === 'HEAD') return void res.end();
  try {
    await pipeline(Readable.from(known.write(readAllRecords(hub.pool, runs)), { objectMode: true }), res);
  } catch (error) {
    // The reader went away in the middle: nobody is left to be told.
    if ((error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    throw error;
  }
}
