/** The HTTP side of checkpoints: agents put and fetch files by hash, members and programs download them by name. */
import { AppError } from '@mealtable/protocol/errors';
import { CheckpointId, RunId, Sha256 } from '@mealtable/protocol/ids';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { MAX_BLOB_BYTES, UPLOAD_SILENCE_MS } from '@mealtable/protocol/tunables';
import { TUS_RESUMABLE } from '@tus/server';
import type { Exchange } from '../http/exchange.ts';
import { recordBlob, touchBlob } from './blob-rows.ts';
import type { PutResult } from './blob-store.ts';
import { downloadName } from './download-name.ts';
import { explainNoModel, findModel, parseWhich } from './find-model.ts';
import { sendFile } from './send-file.ts';

export type FileExchange = Pick<Exchange, 'hub' | 'req' | 'res' | 'params'>;

const DISK_FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** A path's parameter, or not_found: what is no id names nothing. */
function readParam(schema: typeof Sha256, { params }: FileExchange, name: string): string {
  const parsed = schema.safeParse(params[name]);
  if (!parsed.success) throw new AppError('not_found', `${name}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

/** A host that vanished says nothing for ever; without this its half of the connection would stay. */
export function endSilence(req: Exchange['req']): void {
  req.setTimeout(UPLOAD_SILENCE_MS, () => req.destroy());
  // Then it is the hub that takes its time.
  req.once('end', () => req.setTimeout(0));
}

export function sendJson({ res }: Pick<FileExchange, 'res'>, status: number, body: object): void {
  res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  res.end(JSON.stringify(body));
}

/**
 * HEAD /api/agent/blobs/:sha256 - 200 when stored, and then kept for a while even though nothing refers to it yet. In any case it
 * says that this hub takes files in parts, too.
 */
export async function headBlob(exchange: FileExchange): Promise<void> {
  const { hub, res } = exchange;
  const sha256 = readParam(Sha256, exchange, 'sha256');
  const size = await touchBlob(hub.pool, sha256);
  const isThere = size !== null && (await hub.blobs.stat(sha256)) === size;
  res.setHeader('Tus-Resumable', TUS_RESUMABLE);
  res.writeHead(isThere ? 200 : 404, isThere ? { ETag: `"${sha256}"`, 'Content-Length': size } : {}).end();
}

/** GET /api/agent/blobs/:sha256 */
export async function getBlob(exchange: FileExchange): Promise<void> {
  const { hub, req, res } = exchange;
  const sha256 = readParam(Sha256, exchange, 'sha256');
  const known = await touchBlob(hub.pool, sha256);
  const file = { sha256, fileName: sha256 };
  if (known === null || !(await sendFile(req, res, hub.blobs, file)))
    throw new AppError('not_found', `The hub has no file ${sha256}.`);
}

/**
 * PUT /api/agent/blobs/:sha256 - 200 {sha256, sizeBytes} once the file is durable and filed. 422 when the content has
 * another hash, 413 when it is too large, 507 when the disk is full.
 */
export async function putBlob(exchange: FileExchange, maxBytes: number = MAX_BLOB_BYTES): Promise<void> {
  const { hub, req } = exchange;
  const sha256 = readParam(Sha256, exchange, 'sha256');
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const known = await touchBlob(hub.pool, sha256);
  if (known !== null && (await hub.blobs.stat(sha256)) === known) {
    // The body is read and dropped: a client that is still sending would miss an early answer.
    req.resume();
    return sendJson(exchange, 200, { sha256, sizeBytes: known });
  }
  endSilence(req);
  let result: PutResult;
  try {
    const onStored = (size: number) => recordBlob(hub, sha256, size, hub.env.keptCheckpoints);
    result = await hub.blobs.put(sha256, req, { maxBytes, onStored });
  } catch (error) {
    if (DISK_FULL.has((error as NodeJS.ErrnoException).code)) return refuseFullDisk(exchange);
    // The agent went away in the middle; what it had sent is deleted, and nobody is left to be told.
    if (!req.complete && (req.destroyed || req.errored)) return;
    throw error;
  }
  if (result.ok) return sendJson(exchange, 200, { sha256, sizeBytes: result.sizeBytes });
  if (result.code === 'too_large') throw tooLarge(maxBytes);
  throw new AppError('invalid', `The content has the SHA-256 ${result.actual}, not ${sha256}. Send the file again.`);
}

const tooLarge = (maxBytes: number) =>
  new AppError('too_large', `A checkpoint file may have ${maxBytes} bytes at most.`);

export function refuseFullDisk(exchange: Pick<FileExchange, 'hub' | 'res'>): void {
  const message = `The hub's disk is full: free space where ${exchange.hub.blobsDir} lies, and the upload goes on by itself.`;
  exchange.res.setHeader('Connection', 'close');
  sendJson(exchange, 507, { error: { code: 'disk_full', message } });
}

interface NamedFile {
  sha256: string;
  study: string;
  variant: string;
  seed: number;
  epoch: number;
  arrived: boolean;
}

/** GET /api/checkpoints/:checkpointId/:file */
export async function downloadCheckpointFile(exchange: FileExchange): Promise<void> {
  const checkpointId = readParam(CheckpointId, exchange, 'checkpointId');
  await sendCheckpointFile(exchange, checkpointId, exchange.params.file ?? '');
}

/** GET /api/runs/:runId/{best,latest,epoch-N}/model.safetensors - the model of that checkpoint, as of now. */
export async function downloadModel(exchange: FileExchange): Promise<void> {
  const runId = readParam(RunId, exchange, 'runId');
  const which = parseWhich(exchange.params.which ?? '');
  if (which === null)
    throw new AppError(
      'not_found',
      `There is no checkpoint "${exchange.params.which}": ask for best, latest or epoch-3.`,
    );
  const checkpoint = await findModel(exchange.hub.pool, runId, which);
  if (!checkpoint) throw new AppError('not_found', explainNoModel(runId, which));
  await sendCheckpointFile(exchange, checkpoint.id, CHECKPOINT_FILES.model);
}

async function sendCheckpointFile(exchange: FileExchange, checkpointId: string, name: string): Promise<void> {
  const { hub, req, res } = exchange;
  const { rows } = await hub.pool.query<NamedFile>(
    `SELECT f.sha256, s.name AS study, v.label AS variant, r.seed, c.epoch, b.sha256 IS NOT NULL AS arrived
     FROM checkpoints c JOIN checkpoint_files f ON f.checkpoint_id = c.id
     JOIN runs r ON r.id = c.run_id JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id
     LEFT JOIN blobs b ON b.sha256 = f.sha256
     WHERE c.id = $1 AND f.name = $2`,
    [checkpointId, name.replaceAll('\0', '')],
  );
  const file = rows[0];
  if (!file) throw new AppError('not_found', `There is no checkpoint ${checkpointId} with such a file.`);
  if (!file.arrived) throw new AppError('not_found', 'This file has not arrived from its host yet. Try again soon.');
  const stored = { sha256: file.sha256, fileName: downloadName(file, name) };
  if (!(await sendFile(req, res, hub.blobs, stored)))
    throw new AppError('not_found', 'The file is gone from the blob store.');
}
