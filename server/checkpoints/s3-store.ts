/**
 * The blob store in an S3-compatible store: `<prefix>aa/<sha256>`. Files come to the hub's disk first and are hashed there, so
 * an object exists under its name only with the right content; the way from here to the store has checksums of its own.
 */
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Sha256 } from '@mealtable/protocol/ids';
import { StartupFault } from '../startup-fault.ts';
import { withBlobLock } from './blob-locks.ts';
import type { BlobStore, OpenBlob, PutOptions, PutResult } from './blob-store.ts';
import type { S3Settings } from './s3-settings.ts';
import { hashFile, prepareStaging, withStaged } from './staging.ts';

/** Parts of one object that are in memory at once, and their size: 10,000 of them are the most that S3 takes. */
const PARTS_AT_ONCE = 2;
const PART_BYTES = 16 * 1024 * 1024;

export class S3Store implements BlobStore {
  readonly place: string;
  readonly #client: S3Client;
  readonly #settings: S3Settings;
  readonly #stagingDir: string;

  /** @param stagingDir folder on the hub's disk for what is on its way */
  constructor(settings: S3Settings, stagingDir: string) {
    this.place = `s3://${settings.bucket}/${settings.prefix}`;
    this.#settings = settings;
    this.#stagingDir = stagingDir;
    const { endpoint, region, pathStyle, credentials, checksums } = settings;
    const mode = checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
    this.#client = new S3Client({
      ...(endpoint !== null && { endpoint }),
      // Else the AWS environment, profile or instance role.
      ...(credentials !== null && { credentials }),
      region,
      forcePathStyle: pathStyle,
      requestChecksumCalculation: mode,
      responseChecksumValidation: mode,
    });
  }

  async prepare(): Promise<void> {
    await prepareStaging(this.#stagingDir);
    const { bucket: Bucket, prefix: Prefix } = this.#settings;
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket }));
    } catch (error) {
      throw new StartupFault(`The bucket ${this.place} cannot be used: ${explainS3Fault(error)}`, { cause: error });
    }
    // Parts of uploads that the last hub did not end cost money and are seen by nobody.
    const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    for (const { Key, UploadId } of Uploads)
      if (Key?.startsWith(Prefix)) await this.#client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }

  async stat(sha256: string): Promise<number | null> {
    try {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#addressOf(sha256)));
      return ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async open(sha256: string): Promise<OpenBlob | null> {
    const sizeBytes = await this.stat(sha256);
    if (sizeBytes === null) return null;
    return {
      sizeBytes,
      read: async (span) => {
        const range = span && { Range: `bytes=${span.start}-${span.end}` };
        const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#addressOf(sha256), ...range }));
        return Body as Readable;
      },
      close: async () => {},
    };
  }

  async put(sha256: string, source: Readable, options: PutOptions): Promise<PutResult> {
    this.#addressOf(sha256);
    const { maxBytes } = options;
    const result = await withStaged(this.#stagingDir, source, maxBytes, async (temp, staged): Promise<PutResult> => {
      if (staged.sha256 !== sha256) return { ok: false, code: 'hash_mismatch', actual: staged.sha256 };
      return this.#send(sha256, temp, staged.sizeBytes, options);
    });
    return result === 'too_large' ? { ok: false, code: 'too_large' } : result;
  }

  async putFile(sha256: string, file: string, options: PutOptions & { isVerified?: boolean }): Promise<PutResult> {
    const { size } = await stat(file);
    if (size > options.maxBytes) return { ok: false, code: 'too_large' };
    if (!options.isVerified) {
      const found = await hashFile(file);
      if (found.sha256 !== sha256) return { ok: false, code: 'hash_mismatch', actual: found.sha256 };
    }
    const result = await this.#send(sha256, file, size, options);
    await rm(file, { force: true });
    return result;
  }

  async remove(sha256: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#addressOf(sha256)));
  }

  /** Several agents may send the same content at once: each writes the same object. The lock keeps the sweep away from it. */
  async #send(sha256: string, file: string, sizeBytes: number, { onStored }: PutOptions): Promise<PutResult> {
    await withBlobLock(this.place, sha256, async () => {
      await new Upload({
        client: this.#client,
        params: {
          ...this.#addressOf(sha256),
          Body: createReadStream(file, { highWaterMark: 1 << 20 }),
          ContentType: 'application/octet-stream',
          Metadata: { sha256 },
        },
        queueSize: PARTS_AT_ONCE,
        partSize: PART_BYTES,
      }).done();
      const stored = await this.stat(sha256);
      if (stored !== sizeBytes)
        throw new Error(`${this.place} has ${stored} bytes of ${sha256}, of which it was sent ${sizeBytes}.`);
      await onStored(sizeBytes);
    });
    return { ok: true, sizeBytes };
  }

  /** @throws {z.ZodError} when it is no hash: nothing that a client sends becomes a key unchecked */
  #addressOf(sha256: string): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.#settings;
    const name = Sha256.parse(sha256);
    return { Bucket: bucket, Key: `${prefix}${name.slice(0, 2)}/${name}` };
  }
}

const statusOf = (error: unknown) => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
const isMissing = (error: unknown) => statusOf(error) === 404;

function explainS3Fault(error: unknown): string {
  switch (statusOf(error)) {
    case 404:
      return 'there is no such bucket. Make it, or correct MEALTABLE_S3_BUCKET.';
    case 403:
    case 401:
      return 'the keys are wrong or may not use it. Check MEALTABLE_S3_ACCESS_KEY_ID and MEALTABLE_S3_SECRET_ACCESS_KEY.';
    case 301:
    case 400:
      return 'it is in another region. Set MEALTABLE_S3_REGION.';
    default:
      return `${(error as Error).message || (error as Error).name}. Check MEALTABLE_S3_ENDPOINT.`;
  }
}
