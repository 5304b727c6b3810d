/** The blob store in a real S3-compatible server, which this test starts. Run it by: npm run test:s3 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepBlobs } from '../../server/checkpoints/blob-rows.ts';
import type { S3Settings } from '../../server/checkpoints/s3-settings.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { sha256Of, until } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { pythonWith } from '../support/python.ts';
import { putBlob } from '../support/scripted-agent.ts';

const MOTO = ['moto[s3,server]==5.2.5'];
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const never = new AbortController().signal;

let server: ChildProcess | null = null;
let port: number;
let python: string | null;
let s3: S3Client;
let settings: S3Settings;
let hub: TestHub;
let token: string;
let dir: string;

async function startServer(): Promise<void> {
  server = spawn(python!, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  await until(async () => expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeLessThan(500));
}
async function stopServer(): Promise<void> {
  if (!server) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
  server = null;
}

beforeAll(async () => {
  python = await pythonWith(MOTO);
  if (!python) return;
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  port = (free.address() as { port: number }).port;
  free.close();
  const endpoint = `http://127.0.0.1:${port}`;
  await startServer();
  s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: 'models' }));
  settings = {
    ...{ bucket: 'models', prefix: 'lab/', endpoint, region: 'us-east-1' },
    ...{ pathStyle: true, credentials, checksums: true },
  };
  hub = await startTestHub({ env: { s3: settings } });
  token = (await hub.addToken({ kind: 'agent', label: 'a' }, null)).token;
  dir = mkdtempSync(path.join(tmpdir(), 'mealtable-s3-'));
});
afterAll(async () => {
  await hub?.close();
  s3?.destroy();
  await stopServer();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

const objects = async () =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: 'models' }))).Contents ?? []).map(({ Key, Size }) => [Key, Size]);
const OWNER = ['lab/mealtable-hub', 36];
const localFiles = () => [
  ...readdirSync(path.join(hub.hub.blobsDir, 'arriving')),
  ...readdirSync(path.join(hub.hub.blobsDir, 'tmp')),
];
const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());
function write(sizeBytes: number) {
  const bytes = randomBytes(sizeBytes);
  const file = path.join(dir, 'file');
  writeFileSync(file, bytes);
  return { bytes, file, blob: { sha256: sha256Of(bytes), sizeBytes } };
}
const makeClient = () =>
  new BlobClient({
    ...{ hub: hub.url, token, log: () => {} },
    cache: new BlobCache(path.join(dir, 'blobs'), 1e9),
    limits: { ...agentLimits, uploadPartBytes: 5_000_000 },
  });
const keyOf = (sha256: string) => `lab/${sha256.slice(0, 2)}/${sha256}`;

test('a checkpoint file in parts goes into the bucket, comes back whole and in ranges, and goes with the sweep', async (context) => {
  context.skip(!python, 'Needs python3 and pip.');
  // Several parts of the agent's, and of S3's.
  const { bytes, file, blob } = write(40_000_000);
  expect(await makeClient().upload(file, blob, never)).toEqual({ kind: 'stored' });
  expect(await objects()).toEqual([[keyOf(blob.sha256), 40_000_000], OWNER].sort());
  expect(localFiles()).toEqual([]);

  const get = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${hub.url}/api/agent/blobs/${blob.sha256}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  expect((await bytesOf(await get())).equals(bytes)).toBe(true);
  const part = await get({ range: 'bytes=39999990-' });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 39999990-39999999/40000000']);
  expect(await bytesOf(part)).toEqual(bytes.subarray(39_999_990));
  const head = await get({}, 'HEAD');
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '40000000']);

  expect(await makeClient().upload(file, blob, never)).toEqual({ kind: 'stored' });
  expect(await sweepBlobs(hub.hub, 0)).toEqual([blob.sha256]);
  expect(await objects()).toEqual([OWNER]);
  expect((await get()).status).toBe(404);
});

test('a small file by PUT, and nothing at all of one with another hash', async (context) => {
  context.skip(!python, 'Needs python3 and pip.');
  const content = randomBytes(1000);
  expect((await putBlob(hub, token, sha256Of(content), content)).status).toBe(200);
  expect((await putBlob(hub, token, sha256Of('promised'), Buffer.from('other'))).status).toBe(422);
  expect(await objects()).toEqual([[keyOf(sha256Of(content)), 1000], OWNER].sort());
  expect(localFiles()).toEqual([]);
});

test('a store that is away: what has arrived waits on the hub, and is stored when it is back', async (context) => {
  context.skip(!python, 'Needs python3 and pip.');
  const { file, blob } = write(12_000_000);
  await stopServer();
  expect(await makeClient().upload(file, blob, never)).toEqual({
    kind: 'refused',
    message: expect.stringMatching(/^HTTP 503: .*s3:\/\/models\/lab\/ does not answer just now \(ECONNREFUSED\)/),
  });
  await startServer();
  // The test server keeps nothing beyond its end.
  await s3.send(new CreateBucketCommand({ Bucket: 'models' }));
  expect(await makeClient().upload(file, blob, never)).toEqual({ kind: 'stored' });
  expect(await objects()).toEqual([[keyOf(blob.sha256), 12_000_000]]);
});

test('the next hub goes on with the bucket, and clears what the last one left half sent', async (context) => {
  context.skip(!python, 'Needs python3 and pip.');
  const address = { Bucket: 'models', Key: keyOf(sha256Of('half')) };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(address));
  await s3.send(new UploadPartCommand({ ...address, UploadId, PartNumber: 1, Body: 'half' }));
  const before = await objects();
  await hub.restart();
  expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: 'models' }))).Uploads ?? []).toEqual([]);
  expect(await objects()).toEqual([...before, OWNER].sort());
  await hub.restart();
});

test('a bucket that is not there, and a prefix that another hub has, keep the hub from starting', async (context) => {
  context.skip(!python, 'Needs python3 and pip.');
  await expect(startTestHub({ env: { s3: { ...settings, bucket: 'nothing' } } })).rejects.toThrow(
    /^The bucket s3:\/\/nothing\/lab\/ cannot be used: there is no such bucket/,
  );
  await expect(startTestHub({ env: { s3: settings } })).rejects.toThrow(/belongs to another hub/);
  const other = await startTestHub({ env: { s3: { ...settings, prefix: 'other/' } } });
  await other.close();
});
