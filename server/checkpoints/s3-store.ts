/**
 * The blob store in an S3-compatible store: `<prefix>aa/<sha256>`. Files come to the hub's disk first and are hashed there, so
 * an object exists under its name only with the right content; the way from here to the store has checksums of its own.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import type { Upload } from '@aws-sdk/lib-storage';
import { AppError } from '@mealtable/protocol/errors';
import { Sha256 } from '@mealtable/protocol/ids';
import { StartupFault } from '../startup-fault.ts';
import { withBlobLock } from './blob-locks.ts';
import type { BlobStore, OpenBlob, PutOptions, PutResult } from './blob-store.ts';
import type { S3Settings } from './s3-settings.ts';
import { examineFile, prepareStaging, putStaged } from './staging.ts';

type Sdk = Pick<
  typeof S3,
  | 'S3Client'
  | 'AbortMultipartUploadCommand'
  | 'DeleteObjectCommand'
  | 'GetObjectCommand'
  | 'HeadBucketCommand'
  | 'HeadObjectCommand'
  | 'ListMultipartUploadsCommand'
  | 'PutObjectCommand'
> & { Upload: typeof Upload };

/** Parts of one object that are in memory at once, and their size: 10,000 of them are the most that S3 takes. */
const PARTS_AT_ONCE = 2;
const PART_BYTES = 16 * 1024 * 1024;

export class S3Store implements BlobStore {
  readonly place: string;
  readonly #sdk: Sdk;
  readonly #client: S3.S3Client;
  readonly #settings: S3Settings;
  readonly #stagingDir: string;

  /**
   * Loads the SDK, which hubs that keep checkpoints on their disk need not wait for.
   * @param stagingDir folder on the hub's disk for what is on its way
   */
  static async open(settings: S3Settings, stagingDir: string): Promise<S3Store> {
    const [s3, { Upload }] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')]);
    return new S3Store({ ...s3, Upload }, settings, stagingDir);
  }

  private constructor(sdk: Sdk, settings: S3Settings, stagingDir: string) {
    this.#sdk = sdk;
    this.place = `s3://${settings.bucket}/${settings.prefix}`;
    this.#settings = settings;
    this.#stagingDir = stagingDir;
    const { endpoint, region, pathStyle, credentials, checksums } = settings;
    const mode = checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
    this.#client = new sdk.S3Client({
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
      await this.#client.send(new this.#sdk.HeadBucketCommand({ Bucket }));
    } catch (error) {
      throw new StartupFault(`The bucket ${this.place} cannot be used: ${explainS3Fault(error)}`, { cause: error });
    }
    await this.#claimPrefix();
    // Parts of uploads that the last hub did not end cost money and are seen by nobody.
    const { Uploads = [] } = await this.#client.send(new this.#sdk.ListMultipartUploadsCommand({ Bucket, Prefix }));
    for (const { Key, UploadId } of Uploads)
      if (Key?.startsWith(Prefix))
        await this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }

  /** A hub deletes what its own database does not refer to, so two of them must never share a prefix. */
  async #claimPrefix(): Promise<void> {
    const idFile = path.join(this.#stagingDir, 'store-id');
    const address = { Bucket: this.#settings.bucket, Key: `${this.#settings.prefix}${OWNER_NAME}` };
    try {
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(address));
      const owner = await Body?.transformToString();
      const own = await readFile(idFile, 'utf8').catch(nullIfMissing);
      if (owner === own) return;
      throw new StartupFault(
        `${this.place} belongs to another hub, which would delete files of this one and the other way round. Set MEALTABLE_S3_PREFIX to something else; or, if that hub is gone for good, delete the object ${address.Key} there.`,
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const id = randomUUID();
    await writeFile(idFile, id, { mode: 0o600 });
    await this.#client.send(new this.#sdk.PutObjectCommand({ ...address, Body: id }));
  }

  /** A store that is away is no fault of the hub's or of whoever asks. */
  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const status = statusOf(error);
      if (error instanceof AppError || (status !== undefined && status < 500)) throw error;
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new AppError('unavailable', `${this.place} does not answer just now (${reason}). Try again in a moment.`);
    }
  }

  async stat(sha256: string): Promise<number | null> {
    try {
      const address = this.#addressOf(sha256);
      const { ContentLength } = await this.#ask(() => this.#client.send(new this.#sdk.HeadObjectCommand(address)));
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
        const command = new this.#sdk.GetObjectCommand({ ...this.#addressOf(sha256), ...range });
        const { Body } = await this.#ask(() => this.#client.send(command));
        return Body as Readable;
      },
      close: async () => {},
    };
  }

  async put(sha256: string, source: Readable, options: PutOptions): Promise<PutResult> {
    this.#addressOf(sha256);
    return putStaged(this.#stagingDir, sha256, source, options, (temp, size) =>
      this.#send(sha256, temp, size, options),
    );
  }

  async putFile(sha256: string, file: string, options: PutOptions & { isVerified?: boolean }): Promise<PutResult> {
    const examined = await examineFile(sha256, file, options);
    if (!examined.ok) return examined;
    const result = await this.#send(sha256, file, examined.sizeBytes, options);
    await rm(file, { force: true });
    return result;
  }

  async remove(sha256: string): Promise<void> {
    const command = new this.#sdk.DeleteObjectCommand(this.#addressOf(sha256));
    await this.#ask(() => this.#client.send(command));
  }

  /** Several agents may send the same content at once: each writes the same object. The lock keeps the sweep away from it. */
  async #send(sha256: string, file: string, sizeBytes: number, { onStored }: PutOptions): Promise<PutResult> {
    await withBlobLock(this.place, sha256, async () => {
      const upload = new this.#sdk.Upload({
        client: this.#client,
        params: {
          ...this.#addressOf(sha256),
          Body: createReadStream(file, { highWaterMark: 1 << 20 }),
          ContentType: 'application/octet-stream',
          Metadata: { sha256 },
        },
        queueSize: PARTS_AT_ONCE,
        partSize: PART_BYTES,
      });
      await this.#ask(() => upload.done());
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

/** The object that says whose prefix it is. */
const OWNER_NAME = 'mealtable-hub';

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
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
