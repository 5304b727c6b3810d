/**
 * Makes exports on demand: one at a time, what several ask for once, and what is stored never again. An export that fails says why
 * to everybody who waits for it.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mealtable/protocol/errors';
import { type ExportFormat, explainNoExport, isZipped } from '@mealtable/protocol/exports';
import { EXPORT_DEADLINE_MS, MAX_BLOB_BYTES, MAX_WAITING_EXPORTS } from '@mealtable/protocol/tunables';
import { touchBlob } from '../checkpoints/blob-rows.ts';
import { hashFile } from '../checkpoints/staging.ts';
import type { Hub } from '../context.ts';
import { type ExportKey, findExports, keyText, recordExport, type StoredExport } from './export-rows.ts';
import { runConverter } from './run-converter.ts';
import { zipFolder } from './zip-folder.ts';

export interface ExporterOptions {
  /** For what is being made; emptied by `prepare`. */
  folder: string;
  deadlineMs?: number;
  maxWaiting?: number;
  /** Another converter, for tests. */
  program?: readonly string[];
}

/** Of the last failures so many are remembered, for whoever looks later. */
const REMEMBERED_FAILURES = 200;

export class Exporter {
  readonly #hub: Pick<Hub, 'pool' | 'blobs'>;
  readonly #options: Required<Omit<ExporterOptions, 'program'>> & Pick<ExporterOptions, 'program'>;
  readonly #running = new Map<string, Promise<StoredExport>>();
  readonly #failures = new Map<string, string>();
  readonly #stop = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(hub: Pick<Hub, 'pool' | 'blobs'>, options: ExporterOptions) {
    this.#hub = hub;
    this.#options = { deadlineMs: EXPORT_DEADLINE_MS, maxWaiting: MAX_WAITING_EXPORTS, ...options };
  }

  /** Deletes what the last hub had begun. Call once, before the first request. */
  async prepare(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true });
    await mkdir(this.#options.folder, { recursive: true });
  }

  /**
   * The export, from the store or made now.
   * @throws {AppError} invalid with the reason when it cannot be made, unavailable when too many wait or the disk is full,
   * not_found when the model is gone
   */
  make(key: ExportKey): Promise<StoredExport> {
    const text = keyText(key);
    const known = this.#running.get(text);
    if (known) return known;
    const made = this.#find(key, text).finally(() => this.#running.delete(text));
    this.#running.set(text, made);
    return made;
  }

  isRunning(key: ExportKey): boolean {
    return this.#running.has(keyText(key));
  }

  /** Why it failed the last time; null when it did not. */
  failureOf(key: ExportKey): string | null {
    return this.#failures.get(keyText(key)) ?? null;
  }

  /** Ends what is being made; whoever waits is told. */
  async close(): Promise<void> {
    this.#stop.abort(new AppError('unavailable', 'The hub is closing. Try again when it is back.'));
    await Promise.allSettled(this.#running.values());
  }

  async #find(key: ExportKey, text: string): Promise<StoredExport> {
    const stored = (await findExports(this.#hub.pool, key)).get(key.format);
    // Asked for, and so kept for longer; a row whose file is gone is made good.
    if (stored && (await this.#hub.blobs.stat(stored.sha256)) !== null) {
      await touchBlob(this.#hub.pool, stored.sha256);
      return stored;
    }
    const refusal = explainNoExport(key.facts.network, key.format);
    if (refusal !== null) throw new AppError('invalid', refusal);
    try {
      const made = await this.#inTurn(() => this.#convert(key));
      this.#failures.delete(text);
      return made;
    } catch (error) {
      this.#remember(text, error);
      throw error;
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { maxWaiting } = this.#options;
    if (this.#waiting >= maxWaiting)
      throw new AppError('unavailable', `${maxWaiting} conversions are waiting already. Try again in a few minutes.`);
    this.#waiting++;
    const mine = this.#tail.then(() => {
      this.#stop.signal.throwIfAborted();
      return work();
    });
    this.#tail = mine.catch(() => {});
    return mine.finally(() => {
      this.#waiting--;
    });
  }

  async #convert(key: ExportKey): Promise<StoredExport> {
    const { folder, deadlineMs, program } = this.#options;
    const work = await mkdtemp(path.join(folder, 'export-'));
    try {
      const source = path.join(work, 'model.safetensors');
      await this.#fetch(key.sourceSha256, source);
      const output = path.join(work, 'output');
      await mkdir(output);
      const { format, facts, sourceSha256 } = key;
      const job = { format, facts, sourceSha256, source, output };
      const answer = await runConverter(job, { program, deadlineMs, signal: this.#stop.signal });
      if (!answer.ok) throw new AppError('invalid', answer.message);
      const file = isZipped(format) ? path.join(work, 'export.zip') : path.join(output, answer.files[0]!);
      const made = isZipped(format) ? await zipFolder(output, answer.files, file) : await hashFile(file);
      await this.#store(key, made, file);
      return made;
    } catch (error) {
      throw explainDisk(error);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #fetch(sha256: string, target: string): Promise<void> {
    const blob = await this.#hub.blobs.open(sha256);
    if (!blob) throw new AppError('not_found', 'The model’s file is gone from the blob store.');
    try {
      await pipeline(await blob.read(), createWriteStream(target, { flags: 'wx' }));
    } finally {
      await blob.close();
    }
  }

  async #store(key: ExportKey, made: StoredExport, file: string): Promise<void> {
    const onStored = () => recordExport(this.#hub.pool, key, made);
    const put = await this.#hub.blobs.put(made.sha256, createReadStream(file), { maxBytes: MAX_BLOB_BYTES, onStored });
    if (!put.ok) throw new Error(`The export of ${key.sourceSha256} could not be stored: ${put.code}.`);
  }

  #remember(text: string, error: unknown): void {
    if (!(error instanceof AppError) || error.code === 'unavailable') return;
    this.#failures.set(text, error.message);
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > REMEMBERED_FAILURES && !oldest.done) this.#failures.delete(oldest.value);
  }
}

function explainDisk(error: unknown): unknown {
  const isFull = ['ENOSPC', 'EDQUOT'].includes(String((error as NodeJS.ErrnoException).code));
  return isFull ? new AppError('unavailable', 'The hub’s disk is full: free space, then try again.') : error;
}

/** For addresses. */
export const exportPath = (checkpointId: string, format: ExportFormat): string =>
  `/api/checkpoints/${checkpointId}/exports/${format}`;
