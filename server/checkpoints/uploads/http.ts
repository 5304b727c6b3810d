/** Addresses of resumable uploads, for the hub's table of routes: tus, and one request more that ends an upload. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UPLOADS_PATH } from '@mealtable/protocol/agent-messages';
import { AppError } from '@mealtable/protocol/errors';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../../http/routes.ts';
import { endSilence, refuseFullDisk, sendJson } from '../handlers.ts';
import type { FinishResult } from './uploads.ts';

/** How long a question for the end of an upload is held back for an answer; well below what proxies bear. */
const FINISH_ANSWER_MS = 10_000;

/** POST creates, PATCH appends a part, HEAD says how much has arrived, DELETE gives up. */
export async function serveTus({ hub, req, res }: Pick<Exchange, 'hub' | 'req' | 'res'>): Promise<void> {
  endSilence(req);
  await hub.uploads.tus.handle(req, res);
}

/**
 * POST /api/agent/uploads/:uploadId/finish - 200 {sha256, sizeBytes} once the file is verified, durable and filed, 202 while
 * that takes its time (ask again), 409 when not all has arrived, 422 when the content has another hash, 507 when a disk is full.
 */
export async function finishUpload(exchange: Pick<Exchange, 'hub' | 'req' | 'res' | 'params'>): Promise<void> {
  const { hub, params } = exchange;
  const timer = new AbortController();
  const late = sleep(FINISH_ANSWER_MS, null, { signal: timer.signal }).catch(() => null);
  const result = await Promise.race([hub.uploads.finish(hub, params.uploadId ?? ''), late]);
  timer.abort();
  if (result === null) return sendJson(exchange, 202, { state: 'verifying' });
  if (result.kind === 'stored') return sendJson(exchange, 200, { sha256: result.sha256, sizeBytes: result.sizeBytes });
  if (result.kind === 'disk_full') return refuseFullDisk(exchange);
  throw explain(result);
}

function explain(result: Exclude<FinishResult, { kind: 'stored' | 'disk_full' }>): unknown {
  switch (result.kind) {
    case 'unknown':
      return new AppError(
        'not_found',
        'There is no such upload: it is stored, or has expired. Ask for the file by its hash.',
      );
    case 'incomplete':
      return new AppError(
        'conflict',
        `${result.arrivedBytes} of ${result.sizeBytes} bytes have arrived. Send the rest first.`,
      );
    case 'hash_mismatch':
      return new AppError(
        'invalid',
        `The content has the SHA-256 ${result.actual}, not ${result.sha256}. Send the file again.`,
      );
    case 'failed':
      return result.error;
  }
}

const access = { kind: 'agent' } as const;
export const uploadRoutes: Route[] = [
  { methods: ['POST'], path: UPLOADS_PATH, access, handle: serveTus },
  { methods: ['HEAD', 'PATCH', 'DELETE'], path: `${UPLOADS_PATH}/:uploadId`, access, handle: serveTus },
  { methods: ['POST'], path: `${UPLOADS_PATH}/:uploadId/finish`, access, handle: finishUpload },
];
