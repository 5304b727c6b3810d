/** Resumable uploads by the tus protocol, and their end: what has arrived is verified and goes into the blob store, once. */
import path from 'node:path';
import { UPLOADS_PATH } from '@mealtable/protocol/agent-messages';
import { MAX_BLOB_BYTES, UPLOAD_EXPIRY_MS } from '@mealtable/protocol/tunables';
import { Server } from '@tus/server';
import type { Hub } from '../../context.ts';
import { recordBlob, touchBlob } from '../blob-rows.ts';
import { ArrivingFiles } from './arriving.ts';
import { UploadLocker } from './locker.ts';
import { isDiskFull, TusStore } from './tus-store.ts';

/** A request that finds an earlier one at the same upload lets it end in good order for so long, and waits for it for so long. */
const DRAIN_MS = 500;
const LOCK_PATIENCE_MS = 30_000;

export type FinishResult =
  | { kind: 'stored'; sha256: string; sizeBytes: number }
  | { kind: 'unknown' }
  | { kind: 'incomplete'; arrivedBytes: number; sizeBytes: number }
  | { kind: 'hash_mismatch'; sha256: string; actual: string }
  | { kind: 'disk_full' }
  | { kind: 'failed'; error: unknown };

type FinishingHub = Pick<Hub, 'pool' | 'bus' | 'blobs' | 'env'>;

export class Uploads {
  readonly files: ArrivingFiles;
  readonly tus: Server;
  readonly #finishing = new Map<string, Promise<FinishResult>>();

  /** @param dir folder for what is arriving, on the same disk as the blob store's staging folder */
  constructor(dir: string, now: () => Date) {
    this.files = new ArrivingFiles(dir, now);
    this.tus = new Server({
      path: UPLOADS_PATH,
      datastore: new TusStore(this.files, UPLOAD_EXPIRY_MS, path.dirname(dir)),
      locker: new UploadLocker(LOCK_PATIENCE_MS),
      lockDrainTimeout: DRAIN_MS,
      maxSize: MAX_BLOB_BYTES,
      relativeLocation: true,
      // No page of another origin has any business here.
      allowedOrigins: [],
    });
  }

  /** Deletes uploads that have had no byte for a day. */
  sweep(silentMs: number = UPLOAD_EXPIRY_MS): Promise<number> {
    return this.files.sweep(silentMs);
  }

  /**
   * Verifies an upload of which all has arrived and stores it. Asked again meanwhile, it is the same work; asked again
   * after a fault, it is tried again. Never rejects: it may go on after everybody who asked is gone.
   */
  finish(hub: FinishingHub, id: string): Promise<FinishResult> {
    const running = this.#finishing.get(id);
    if (running) return running;
    const work = this.#finishNow(hub, id)
      .catch((error: unknown): FinishResult => (isDiskFull(error) ? { kind: 'disk_full' } : { kind: 'failed', error }))
      .finally(() => this.#finishing.delete(id));
    this.#finishing.set(id, work);
    return work;
  }

  async #finishNow(hub: FinishingHub, id: string): Promise<FinishResult> {
    const upload = this.files.find(id);
    if (!upload) return { kind: 'unknown' };
    const { sha256, sizeBytes, arrivedBytes } = upload;
    if (arrivedBytes < sizeBytes) return { kind: 'incomplete', arrivedBytes, sizeBytes };
    const actual = await this.files.digest(id);
    if (actual === null) return { kind: 'unknown' };
    if (actual !== sha256) {
      await this.files.remove(id);
      return { kind: 'hash_mismatch', sha256, actual };
    }
    // Another agent may have brought the same content meanwhile.
    const known = await touchBlob(hub.pool, sha256);
    if (known === null || (await hub.blobs.stat(sha256)) !== known) {
      const onStored = (size: number) => recordBlob(hub, sha256, size, hub.env.keptCheckpoints);
      const options = { maxBytes: MAX_BLOB_BYTES, onStored, isVerified: true };
      const result = await hub.blobs.putFile(sha256, this.files.pathOf(id), options);
      if (!result.ok) throw new Error(`A verified upload was not stored: ${result.code}.`);
    }
    await this.files.remove(id);
    return { kind: 'stored', sha256, sizeBytes };
  }
}
