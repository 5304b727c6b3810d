/** The HTTP side of exports: a model in another format, made when it is first asked for. */
import { AppError } from '@mealtable/protocol/errors';
import { ExportFormat, FORMAT_WORDS } from '@mealtable/protocol/exports';
import { CheckpointId, RunId } from '@mealtable/protocol/ids';
import type { z } from 'zod';
import { downloadName } from '../checkpoints/download-name.ts';
import { explainNoModel, findModel, parseWhich } from '../checkpoints/find-model.ts';
import { sendFile } from '../checkpoints/send-file.ts';
import type { Exchange } from '../http/exchange.ts';
import { loadExportViews, viewOf } from './export-views.ts';
import { loadModelSource, type ModelSource } from './model-source.ts';

export type ExportExchange = Pick<Exchange, 'hub' | 'req' | 'res' | 'params' | 'url'>;

/** A path's parameter, or not_found: what is no id names nothing. */
export function readParam<T>(schema: z.ZodType<T>, { params }: ExportExchange, name: string): T {
  const parsed = schema.safeParse(params[name]);
  if (!parsed.success) throw new AppError('not_found', `${name}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

function sendJson({ res }: ExportExchange, body: object): void {
  res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  res.end(JSON.stringify(body));
}

/** GET /api/checkpoints/:checkpointId/exports - {exports: ModelExportView[]} */
export async function listExports(exchange: ExportExchange): Promise<void> {
  const checkpointId = readParam(CheckpointId, exchange, 'checkpointId');
  sendJson(exchange, { exports: await loadExportViews(exchange.hub, checkpointId) });
}

/** POST /api/checkpoints/:checkpointId/exports/:format - makes it ready and says what it is: ModelExportView. */
export async function prepareExport(exchange: ExportExchange): Promise<void> {
  const { hub } = exchange;
  const source = await loadModelSource(hub.pool, readParam(CheckpointId, exchange, 'checkpointId'));
  const format = readParam(ExportFormat, exchange, 'format');
  const { sourceSha256, facts } = source;
  const made = await hub.exporter.make({ sourceSha256, facts, format });
  sendJson(exchange, viewOf(hub, source, format, made));
}

/** GET /api/checkpoints/:checkpointId/exports/:format */
export async function downloadExport(exchange: ExportExchange): Promise<void> {
  const checkpointId = readParam(CheckpointId, exchange, 'checkpointId');
  await sendExport(exchange, await loadModelSource(exchange.hub.pool, checkpointId));
}

/** GET /api/runs/:runId/:which/exports/:format - of `best`, `latest` or `epoch-3`, as of now. */
export async function downloadRunExport(exchange: ExportExchange): Promise<void> {
  const { pool } = exchange.hub;
  const runId = readParam(RunId, exchange, 'runId');
  const which = parseWhich(exchange.params.which ?? '');
  if (which === null) throw new AppError('not_found', 'Ask for best, latest or epoch-3.');
  const model = await findModel(pool, runId, which);
  if (!model) throw new AppError('not_found', explainNoModel(runId, which));
  await sendExport(exchange, await loadModelSource(pool, model.id));
}

async function sendExport(exchange: ExportExchange, { sourceSha256, facts, names }: ModelSource): Promise<void> {
  const { hub, req, res } = exchange;
  const format = readParam(ExportFormat, exchange, 'format');
  const { sha256 } = await hub.exporter.make({ sourceSha256, facts, format });
  const fileName = exportName(names, format);
  if (!(await sendFile(req, res, hub.blobs, { sha256, fileName })))
    throw new AppError('unavailable', 'The file has just been removed from the blob store. Ask for it again.');
}

/** Like the name of the weights, with the format's ending. */
export function exportName(names: ModelSource['names'], format: ExportFormat): string {
  const weights = downloadName(names, 'model.safetensors');
  return weights.replace(/\.safetensors$/, FORMAT_WORDS[format].ending);
}
