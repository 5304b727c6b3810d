/** Files between agent and hub: verified, resumed, never wrong. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { fileOf } from './support/make-grant.ts';
import { TestHub, TOKEN } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

const LIMITS = { ...agentLimits, retryFirstMs: 2, retryMaxMs: 10 };
const bytes = Buffer.from('weights '.repeat(50_000));
const blob = fileOf(bytes);
const never = new AbortController().signal;

let hub: TestHub;
let dir: string;
let cache: BlobCache;
let client: BlobClient;
let log: string[];
beforeEach(async () => {
  hub = new TestHub();
  await hub.start();
  dir = mkdtempSync(join(tmpdir(), 'blobs-'));
  log = [];
  cache = new BlobCache(join(dir, 'blobs'), 1_000_000);
  client = new BlobClient({ hub: hub.url, token: TOKEN, cache, limits: LIMITS, log: (line) => log.push(line) });
});
afterEach(async () => {
  await hub.kill();
  rmSync(dir, { recursive: true, force: true });
});

const destination = () => join(dir, 'wanted');

test('an upload arrives whole, is sent once, and is in the cache for later runs on this host', async () => {
  const path = join(dir, 'file');
  writeFileSync(path, bytes);
  expect(await client.upload(path, blob, never)).toEqual({ kind: 'stored' });
  expect(hub.blobs.get(blob.sha256)?.equals(bytes)).toBe(true);
  expect(await client.upload(path, blob, never)).toEqual({ kind: 'stored' });
  expect(hub.puts).toBe(1);
  await hub.kill();
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
});

test('a file that changed since it was hashed is never stored, and says so', async () => {
  const path = join(dir, 'file');
  writeFileSync(path, Buffer.from(bytes).fill('x', 0, 1));
  expect(await client.upload(path, blob, never)).toMatchObject({ kind: 'unusable' });
  writeFileSync(path, 'shorter');
  expect(await client.upload(path, blob, never)).toMatchObject({ kind: 'unusable' });
  rmSync(path);
  expect(await client.upload(path, blob, never)).toMatchObject({ kind: 'unusable' });
  expect(hub.blobs.size).toBe(0);
});

test('a hub that refuses and a hub that is away are told apart', async () => {
  const path = join(dir, 'file');
  writeFileSync(path, bytes);
  hub.blobFault = (request, response) => {
    if (request.method !== 'PUT') return false;
    response.writeHead(507).end('no space left on the hub');
    return true;
  };
  expect(await client.upload(path, blob, never)).toEqual({
    kind: 'refused',
    message: 'HTTP 507: no space left on the hub',
  });
  await hub.kill();
  expect(await client.upload(path, blob, never)).toEqual({ kind: 'unreachable', message: 'ECONNREFUSED' });
});

test('a hub that takes the connection and says nothing is as good as away; one that has begun may take its time', async () => {
  const limits = { ...LIMITS, answerMs: 300 };
  client = new BlobClient({ hub: hub.url, token: TOKEN, cache, limits, log: (line) => log.push(line) });
  const path = join(dir, 'file');
  writeFileSync(path, bytes);
  hub.blobFault = () => true;
  expect(await client.upload(path, blob, never)).toEqual({ kind: 'unreachable', message: 'no answer within 300 ms' });
  hub.blobs.set(blob.sha256, bytes);
  let isSilent = true;
  hub.blobFault = (_request, response) => {
    if (isSilent) return true;
    response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10));
    setTimeout(() => response.end(bytes.subarray(10)), 600);
    return true;
  };
  const fetching = client.fetchTo(blob, destination(), never);
  await waitUntil('the silence is told', () => log.some((line) => line.includes('no answer within 300 ms')));
  isSilent = false;
  expect(await fetching).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
});

test('a download that breaks off goes on where it stopped', async () => {
  hub.blobs.set(blob.sha256, bytes);
  const asked: (string | undefined)[] = [];
  hub.blobFault = (request, response) => {
    asked.push(request.headers.range);
    if (asked.length > 1) return false;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1000), () => response.destroy());
    return true;
  };
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
  expect(asked).toEqual([undefined, 'bytes=1000-']);
});

test('a hub that cannot start in the middle sends the whole file again', async () => {
  hub.blobs.set(blob.sha256, bytes);
  writeFileSync(cache.partPathOf(blob), bytes.subarray(0, 700));
  hub.blobFault = (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    return true;
  };
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
});

test('wrong bytes are thrown away and asked for again; wrong time after time, the file is missing', async () => {
  hub.blobs.set(blob.sha256, Buffer.alloc(bytes.length, 'x'));
  let tries = 0;
  hub.blobFault = () => {
    if (++tries === 2) hub.blobs.set(blob.sha256, bytes);
    return false;
  };
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);

  const other = fileOf(Buffer.from('something else'));
  for (const wrong of ['Something else', 'something else and more']) {
    hub.blobs.set(other.sha256, Buffer.from(wrong));
    const result = await client.fetchTo(other, join(dir, 'other'), never);
    expect(result).toMatchObject({
      ok: false,
      code: 'weights_missing',
      message: expect.stringContaining('3 times in a row'),
    });
    expect(existsSync(join(dir, 'other'))).toBe(false);
  }
});

test('a part that was damaged on disk is noticed by its hash', async () => {
  hub.blobs.set(blob.sha256, bytes);
  writeFileSync(cache.partPathOf(blob), Buffer.alloc(500, 'x'));
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
});

test('a damaged file in the cache is replaced', async () => {
  hub.blobs.set(blob.sha256, bytes);
  writeFileSync(cache.pathOf(blob), Buffer.alloc(bytes.length, 'x'));
  expect(await client.fetchTo(blob, destination(), never)).toEqual({ ok: true });
  expect(readFileSync(destination()).equals(bytes)).toBe(true);
});

test('a file that the hub does not have is missing at once; a hub that is away is waited for', async () => {
  expect(await client.fetchTo(blob, destination(), never)).toMatchObject({ ok: false, code: 'weights_missing' });
  hub.blobs.set(blob.sha256, bytes);
  await hub.kill();
  const fetching = client.fetchTo(blob, destination(), never);
  await waitUntil('it waits', () => log.some((line) => line.includes('waits for the hub (ECONNREFUSED)')));
  await hub.start();
  expect(await fetching).toEqual({ ok: true });
});

test('an abort ends the waiting, and only for the one who gave up', async () => {
  await hub.kill();
  const first = new AbortController();
  const [a, b] = [client.fetchTo(blob, destination(), first.signal), client.fetchTo(blob, join(dir, 'b'), never)];
  first.abort();
  expect(await a).toMatchObject({ ok: false, code: 'aborted' });
  hub.blobs.set(blob.sha256, bytes);
  await hub.start();
  expect(await b).toEqual({ ok: true });
});

test('two attempts that need the same file download it once', async () => {
  hub.blobs.set(blob.sha256, bytes);
  let gets = 0;
  hub.blobFault = () => {
    gets++;
    return false;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => client.fetchTo(blob, join(dir, name), never)));
  expect(results).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  expect(gets).toBe(1);
});

test.runIf(process.platform === 'linux')('a full disk is named', async () => {
  hub.blobs.set(blob.sha256, bytes);
  symlinkSync('/dev/full', cache.partPathOf(blob));
  const result = await client.fetchTo(blob, destination(), never);
  expect(result).toMatchObject({ ok: false, code: 'disk_full', message: expect.stringContaining('No space left') });
});

test('above its limit the cache drops what was used longest ago, and never what an attempt uses', () => {
  const files = ['a', 'b', 'c', 'd'].map((letter, i) => {
    const content = Buffer.alloc(300_000, letter);
    const file = fileOf(content);
    const path = join(dir, letter);
    writeFileSync(path, content);
    cache.addLink(file, path);
    utimesSync(path, i, i);
    return { file, path };
  });
  // "a" is the oldest and still used by its attempt; the others' attempts are gone.
  for (const { path } of files.slice(1)) rmSync(path);
  const [fresh, stale] = [fileOf(Buffer.from('fresh')), fileOf(Buffer.from('stale'))];
  for (const part of [fresh, stale]) writeFileSync(cache.partPathOf(part), Buffer.alloc(1000));
  utimesSync(cache.partPathOf(stale), 0, 0);
  const extra = Buffer.alloc(10);
  writeFileSync(join(dir, 'e'), extra);
  cache.addLink(fileOf(extra), join(dir, 'e'));
  const left = readdirSync(join(dir, 'blobs'));
  expect(left).toContain(files[0]!.file.sha256);
  expect(left).not.toContain(files[1]!.file.sha256);
  expect(left).toContain(files[3]!.file.sha256);
  expect(left).toContain(`${fresh.sha256}.part`);
  expect(left).not.toContain(`${stale.sha256}.part`);
});
