/**
 * The blob store: files under their SHA-256, on a disk or in an S3-compatible store. What it has under a hash is always
 * whole, has that hash, and is durable; what is still arriving is elsewhere (staging.ts, uploads/).
 */
import type { Readable } from 'node:stream';

/** Bytes from `start` to `end`, both included. */
export interface Span {
  start: number;
  end: number;
}

/** One stored file, as it is now: it can be read to its end though it may be removed meanwhile, at least from a disk. */
export interface OpenBlob {
  sizeBytes: number;
  /** May be called several times, one after the other. Left out: everything. */
  read(span?: Span): Promise<Readable>;
  /** Call when all streams have ended. */
  close(): Promise<void>;
}

export type PutResult =
  | { ok: true; sizeBytes: number }
  | { ok: false; code: 'hash_mismatch'; actual: string }
  | { ok: false; code: 'too_large' };

export interface PutOptions {
  /** More is refused, and not read to its end. */
  maxBytes: number;
  /** Files the blob (a row of the database) while no sweep can touch it. */
  onStored(sizeBytes: number): Promise<void>;
}

export interface BlobStore {
  /** Where it is, for people: a folder, or s3://bucket/prefix. */
  readonly place: string;
  /**
   * Makes it ready, and deletes what was still being written when the last hub ended. Call once, before anything else.
   * @throws {StartupFault} when it cannot be reached or written
   */
  prepare(): Promise<void>;
  /** @returns the file's size in bytes, or null when the store does not have it */
  stat(sha256: string): Promise<number | null>;
  /** @returns null when the store does not have it */
  open(sha256: string): Promise<OpenBlob | null>;
  /**
   * Stores what `source` gives if its hash is the one promised: durable when this returns `ok`. Nothing stays behind
   * otherwise, whether the hash differs, the stream breaks or a disk is full (which throws the system's error).
   */
  put(sha256: string, source: Readable, options: PutOptions): Promise<PutResult>;
  /**
   * The same from a file that nobody writes to any more, on the same disk as the hub's staging folder. It is moved or
   * deleted when this returns `ok`, and stays where it is otherwise.
   * @param isVerified its bytes have been hashed as they arrived, and have this hash
   */
  putFile(sha256: string, path: string, options: PutOptions & { isVerified?: boolean }): Promise<PutResult>;
  /** Removing what is not there is no fault. */
  remove(sha256: string): Promise<void>;
}
