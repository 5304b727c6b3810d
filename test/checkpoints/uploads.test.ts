/** Files in parts: the agent's own client against a real hub, over a link that is cut, and by hand where a client would not lie. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ArrivingFiles } from '../../server/checkpoints/uploads/arriving.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient, type UploadResult } from '../../trainer/agent/blob-client.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { sha256Of } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { type CuttingProxy, startCuttingProxy } from './support/cutting-proxy.ts';

const PART = 64 * 1024;
/** Few: each part is brought to the disk, which may be slow. */
const SIZE = 6 * PART + 123;
const LIMITS = { ...agentLimits, uploadPartBytes: PART };

let hub: TestHub;
let token: string;
let dir: string;
let file: string;
let blob: { sha256: string; sizeBytes: number };
const proxies: CuttingProxy[] = [];
beforeAll(async () => {
  hub = await startTestHub();
  token = (await hub.addToken({ kind: 'agent', label: 'a' }, null)).token;
});
afterAll(() => hub.close());
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mealtable-uploads-'));
  file = path.join(dir, 'model.safetensors');
  const bytes = randomBytes(SIZE);
  writeFileSync(file, bytes);
  blob = { sha256: sha256Of(bytes), sizeBytes: SIZE };
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
  await hub.hub.uploads.sweep(-1);
  await rm(dir, { recursive: true });
});

const arrivingDir = () => path.join(hub.hub.blobsDir, 'arriving');
const storedSize = () => hub.hub.blobs.stat(blob.sha256);
async function viaProxy(cutAt: number[] = []): Promise<CuttingProxy> {
  const proxy = await startCuttingProxy(hub.url, cutAt);
  proxies.push(proxy);
  return proxy;
}
const makeClient = (url: string, name = 'blobs') =>
  new BlobClient({ hub: url, token, cache: new BlobCache(path.join(dir, name), 1e9), limits: LIMITS, log: () => {} });
const never = new AbortController().signal;

async function uploadUntilStored(client: BlobClient): Promise<number> {
  for (let tries = 1; ; tries++) {
    const result = await client.upload(file, blob, never);
    if (result.kind === 'stored') return tries;
    expect([result, tries]).toEqual([{ kind: 'unreachable', message: expect.any(String) }, expect.any(Number)]);
  }
}

/** One try that is cut in its third part; afterwards the hub waits for the rest. @returns where that lies on the hub */
async function sendSome(): Promise<{ client: BlobClient; proxy: CuttingProxy; id: string; arrivedBytes: number }> {
  const proxy = await viaProxy([2.5 * PART]);
  const client = makeClient(proxy.url);
  expect(await client.upload(file, blob, never)).toMatchObject({ kind: 'unreachable' });
  const [upload] = hub.hub.uploads.files.list();
  // The answer comes when the part that was cut is dealt with.
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  const reply = await fetch(`${hub.url}/api/agent/uploads/${upload!.id}`, { method: 'HEAD', headers });
  const arrivedBytes = Number(reply.headers.get('upload-offset'));
  expect(arrivedBytes).toBeGreaterThanOrEqual(PART);
  return { client, proxy, id: upload!.id, arrivedBytes };
}

describe('the agent sends a large file', () => {
  test('over a link that is cut, and never more than a part again for each cut; the second time not at all', async () => {
    const cutAt = [1.5, 2.2, 2.9, 5].map((parts) => Math.round(parts * PART));
    const proxy = await viaProxy(cutAt);
    const client = makeClient(proxy.url);
    expect(await uploadUntilStored(client)).toBeGreaterThan(1);
    expect(proxy.cuts).toBe(cutAt.length);
    expect(await storedSize()).toBe(SIZE);
    expect(Math.max(...proxy.resentBytes)).toBeLessThanOrEqual(PART);
    expect(proxy.resentBytes.length).toBeLessThanOrEqual(cutAt.length);
    expect(readdirSync(arrivingDir())).toEqual([]);
    expect(readdirSync(path.join(dir, 'blobs'))).toEqual([blob.sha256]);

    const before = proxy.sentBytes;
    expect(await client.upload(file, blob, never)).toEqual({ kind: 'stored' });
    expect(proxy.sentBytes - before).toBeLessThan(1_000);
  });

  test('and goes on after a restart of itself and of the hub', async () => {
    const { proxy, id, arrivedBytes } = await sendSome();
    await hub.restart();
    expect(hub.hub.uploads.files.list()).toMatchObject([{ id, sha256: blob.sha256, sizeBytes: SIZE, arrivedBytes }]);
    await uploadUntilStored(makeClient(proxy.url));
    expect(await storedSize()).toBe(SIZE);
    expect(proxy.sentBytes).toBeLessThan(SIZE + PART + 50_000);
  });

  test('at once with another agent that has the same one', async () => {
    const clients = [makeClient(hub.url, 'one'), makeClient(hub.url, 'two')];
    const results = await Promise.all(clients.map((client) => client.upload(file, blob, never)));
    expect(results).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
    expect([await storedSize(), readdirSync(arrivingDir())]).toEqual([SIZE, []]);
    const { rows } = await hub.hub.pool.query('SELECT size_bytes FROM blobs WHERE sha256 = $1', [blob.sha256]);
    expect(rows).toEqual([{ size_bytes: String(SIZE) }]);
  });

  test('that is not what it was: never stored, and the agent says so', async () => {
    const changed = { ...blob, sha256: sha256Of('what it was') };
    expect(await makeClient(hub.url).upload(file, changed, never)).toMatchObject({ kind: 'unusable' });
    expect(await makeClient(hub.url).upload(file, { ...blob, sizeBytes: SIZE - 1 }, never)).toMatchObject({
      kind: 'unusable',
    });
    expect([await hub.hub.blobs.stat(changed.sha256), readdirSync(arrivingDir())]).toEqual([null, []]);
  });

  test('until it is not wanted any more: then the hub deletes what has arrived', async () => {
    const { client } = await sendSome();
    await client.abandonUpload(blob);
    expect(readdirSync(arrivingDir())).toEqual([]);
  });

  test('though its own disk is full: only a restart of it would cost sending again', async () => {
    const client = makeClient(hub.url);
    const note = path.join(dir, 'blobs', `${blob.sha256}.upload`);
    symlinkSync('/dev/full', `${note}.${process.pid}.tmp`);
    expect(await client.upload(file, blob, never)).toEqual({ kind: 'stored' });
    expect([await storedSize(), existsSync(note)]).toEqual([SIZE, false]);
  });

  test('onto a full disk: it is told, waits, and goes on where it was', async () => {
    const { client, id, arrivedBytes } = await sendSome();
    const there = hub.hub.uploads.files.pathOf(id);
    // A file of which every write fails for want of space.
    renameSync(there, path.join(dir, 'aside'));
    symlinkSync('/dev/full', there);
    expect(await client.upload(file, blob, never)).toEqual({
      kind: 'refused',
      message: expect.stringMatching(/^HTTP 507: The hub's disk is full: free space where .* goes on by itself\.$/),
    });
    rmSync(there);
    renameSync(path.join(dir, 'aside'), there);
    expect(hub.hub.uploads.files.find(id)?.arrivedBytes).toBe(arrivedBytes);
    const last: UploadResult = await client.upload(file, blob, never);
    expect([last, await storedSize()]).toEqual([{ kind: 'stored' }, SIZE]);
  });
});

describe('who lies is told', () => {
  const address = '/api/agent/uploads';
  const ask = (method: string, where: string, headers: Record<string, string> = {}, body?: string) =>
    fetch(hub.url + where, {
      method,
      headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', ...headers },
      body,
    });
  const create = (sha256: string, length: number | string) =>
    ask('POST', address, {
      'upload-length': String(length),
      'upload-metadata': `sha256 ${Buffer.from(sha256).toString('base64')}`,
    });
  const append = (where: string, offset: number, body: string) =>
    ask('PATCH', where, { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }, body);
  const locationOf = (reply: Response) => reply.headers.get('location')!;

  test('about the hash: nothing is stored, and nothing stays', async () => {
    const where = locationOf(await create(sha256Of('promised'), 5));
    expect((await append(where, 0, 'other')).status).toBe(204);
    const reply = await ask('POST', `${where}/finish`);
    expect([reply.status, await reply.json()]).toMatchObject([
      422,
      { error: { message: expect.stringContaining(`The content has the SHA-256 ${sha256Of('other')}`) } },
    ]);
    expect([(await ask('HEAD', where)).status, (await ask('POST', `${where}/finish`)).status]).toEqual([404, 404]);
    expect(readdirSync(arrivingDir())).toEqual([]);
  });

  test('about the length: too much, too little, beyond what is taken', async () => {
    const where = locationOf(await create(sha256Of('12345'), 5));
    expect((await append(where, 0, '123456')).status).toBe(413);
    expect((await append(where, 0, '123')).status).toBe(204);
    const early = await ask('POST', `${where}/finish`);
    expect([early.status, await early.text()]).toEqual([409, expect.stringContaining('3 of 5 bytes have arrived')]);
    expect((await append(where, 0, '12345')).status).toBe(409);
    expect((await append(where, 3, '45')).status).toBe(204);
    const reply = await ask('POST', `${where}/finish`);
    expect([reply.status, await reply.json()]).toEqual([200, { sha256: sha256Of('12345'), sizeBytes: 5 }]);
    expect((await create(sha256Of('x'), 20_000_000_001)).status).toBe(413);
    expect((await create(sha256Of('x'), -1)).status).toBe(400);
    expect((await create(sha256Of('x'), 'many')).status).toBe(400);
  });

  test('about the name: only a hash is one, and only the hub makes ids', async () => {
    for (const name of ['', '..', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(64)}/..`, 'a\0'])
      expect([name, (await create(name, 5)).status]).toEqual([name, 422]);
    expect((await ask('POST', address, { 'upload-length': '5' })).status).toBe(422);
    for (const id of ['x', '..%2f..%2fetc', 'a'.repeat(32), '%2e%2e%2ftmp', 'tmp'])
      for (const method of ['HEAD', 'DELETE'])
        expect([id, [400, 404].includes((await ask(method, `${address}/${id}`)).status)]).toEqual([id, true]);
    expect(readdirSync(arrivingDir())).toEqual([]);
  });

  test('a disk that could not take it all refuses before the first byte', async () => {
    const { files } = hub.hub.uploads;
    const free = files.freeBytes;
    files.freeBytes = async () => 4;
    try {
      const reply = await create(sha256Of('12345'), 5);
      expect([reply.status, await reply.text()]).toEqual([507, expect.stringContaining("The hub's disk is full")]);
    } finally {
      files.freeBytes = free;
    }
  });
});

test('what arrives is found again by the next hub, and expires when it has had no byte for long', async () => {
  let now = Date.now();
  const folder = path.join(dir, 'arriving');
  const open = async () => {
    const files = new ArrivingFiles(folder, () => new Date(now));
    await files.prepare();
    return files;
  };
  const first = await open();
  const id = await first.create({ sha256: sha256Of('whole'), sizeBytes: 5 });
  writeFileSync(path.join(folder, 'stray'), 'x');
  writeFileSync(path.join(folder, 'torn'), '');
  writeFileSync(path.join(folder, 'torn.json'), '{"sha2');
  expect(await first.append(id, Readable.from([Buffer.from('who')]))).toBe(3);
  const second = await open();
  expect(second.list()).toMatchObject([{ id, sizeBytes: 5, arrivedBytes: 3 }]);
  expect(readdirSync(folder).sort()).toEqual([id, `${id}.json`]);
  now += 3_600_000;
  expect([await second.sweep(7_200_000), second.list().length]).toEqual([0, 1]);
  now += 7_200_000;
  expect([await second.sweep(7_200_000), readdirSync(folder)]).toEqual([1, []]);
});
