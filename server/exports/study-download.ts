/** GET /api/studies/:studyId/models.zip?seeds=best&formats=onnx,tfjs-graph */
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mealtable/protocol/errors';
import { EXPORT_FORMATS, ExportFormat, SeedChoice } from '@mealtable/protocol/exports';
import { StudyId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { nameFile } from '../checkpoints/download-name.ts';
import { type ExportExchange, readParam } from './handlers.ts';
import { loadBundle } from './study/bundle.ts';
import { makeStudyZip } from './study/study-zip.ts';

const Choice = z.strictObject({
  seeds: SeedChoice.default('best'),
  /** Besides safetensors. */
  formats: z
    .string()
    .transform((text) => (text === '' ? [] : text.split(',')))
    .pipe(z.array(ExportFormat))
    .default([]),
});

function readChoice(url: URL): z.infer<typeof Choice> {
  const parsed = Choice.safeParse(Object.fromEntries(url.searchParams));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError('invalid', `${String(issue?.path[0] ?? 'The address')}: ${issue?.message}`);
}

/** What is missing of the formats asked for is made first. A reader that leaves ends that after the conversion at work. */
export async function downloadStudyModels(exchange: ExportExchange): Promise<void> {
  const { hub, req, res, url } = exchange;
  const studyId = readParam(StudyId, exchange, 'studyId');
  const choice = readChoice(url);
  // In one order, so that the same choice gives the same zip.
  const formats = EXPORT_FORMATS.filter((format) => choice.formats.includes(format));
  const left = new AbortController();
  res.once('close', () => left.abort());
  try {
    const bundle = await loadBundle(hub, studyId, { seeds: choice.seeds, formats, signal: left.signal });
    const { sizeBytes, open } = makeStudyZip(bundle, hub.blobs, hub.baseUrl());
    res.writeHead(200, {
      'Content-Type': 'application/zip',
      'Content-Length': sizeBytes,
      'Content-Disposition': `attachment; filename="${nameFile([bundle.folder, 'models'])}.zip"`,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'private, no-cache',
    });
    if (req.method === 'HEAD') res.end();
    else await pipeline(open(), res);
  } catch (error) {
    // Nobody is left to be told.
    if (left.signal.aborted) return;
    throw error;
  }
}
