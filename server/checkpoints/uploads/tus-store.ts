/**
 * What the tus server keeps uploads in. Not its own file store: that neither brings parts to the disk before it
 * acknowledges them nor tells a full disk from other faults, and it leaves the hashing to a second reading.
 */
import type { Readable } from 'node:stream';
import { Sha256 } from '@mealtable/protocol/ids';
import { MAX_BLOB_BYTES } from '@mealtable/protocol/tunables';
import { DataStore, ERRORS, Upload } from '@tus/server';
import type { ArrivingFiles } from './arriving.ts';

/** What the library turns into an answer. */
export class TusFault extends Error {
  readonly status_code: number;
  readonly body: string;
  constructor(status: number, message: string) {
    super(message);
    this.status_code = status;
    this.body = `${message}\n`;
  }
}

const DISK_FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
export const isDiskFull = (error: unknown) => DISK_FULL.has((error as NodeJS.ErrnoException).code);

export class TusStore extends DataStore {
  readonly #files: ArrivingFiles;
  readonly #silentMs: number;
  readonly #place: string;

  /**
   * @param silentMs an upload expires that long after its last byte
   * @param place where the files lie, for people
   */
  constructor(files: ArrivingFiles, silentMs: number, place: string) {
    super();
    this.#files = files;
    this.#silentMs = silentMs;
    this.#place = place;
    this.extensions = ['creation', 'expiration', 'termination'];
  }

  /** The library has made the upload's id by then, which is not used: the caller puts the one of the file in its place. */
  override async create(upload: Upload): Promise<Upload> {
    const sha256 = Sha256.safeParse(upload.metadata?.sha256);
    if (!sha256.success)
      throw new TusFault(422, `Upload-Metadata: sha256: ${sha256.error.issues[0]?.message} It must be there.`);
    const sizeBytes = upload.size ?? 0;
    if (sizeBytes > MAX_BLOB_BYTES)
      throw new TusFault(413, `Upload-Length: a checkpoint file may have ${MAX_BLOB_BYTES} bytes at most.`);
    try {
      if ((await this.#files.freeBytes()) < sizeBytes) throw this.#diskFull();
      upload.id = await this.#files.create({ sha256: sha256.data, sizeBytes });
    } catch (error) {
      throw isDiskFull(error) ? this.#diskFull() : error;
    }
    return upload;
  }

  override async write(source: Readable, id: string, offset: number): Promise<number> {
    const found = this.#files.find(id);
    if (!found) throw ERRORS.FILE_NOT_FOUND;
    if (found.arrivedBytes !== offset) throw ERRORS.INVALID_OFFSET;
    try {
      return await this.#files.append(id, source);
    } catch (error) {
      throw isDiskFull(error) ? this.#diskFull() : error;
    }
  }

  override async getUpload(id: string): Promise<Upload> {
    const found = this.#files.find(id);
    if (!found) throw ERRORS.FILE_NOT_FOUND;
    return new Upload({
      id,
      size: found.sizeBytes,
      offset: found.arrivedBytes,
      metadata: { sha256: found.sha256 },
      // The library counts the time to the expiry from here.
      creation_date: new Date(found.lastByteAt).toISOString(),
    });
  }

  override async remove(id: string): Promise<void> {
    if (!this.#files.find(id)) throw ERRORS.FILE_NOT_FOUND;
    await this.#files.remove(id);
  }

  override getExpiration(): number {
    return this.#silentMs;
  }

  override deleteExpired(): Promise<number> {
    return this.#files.sweep(this.#silentMs);
  }

  #diskFull(): TusFault {
    return new TusFault(
      507,
      `The hub's disk is full: free space where ${this.#place} lies, and the upload goes on by itself.`,
    );
  }
}
