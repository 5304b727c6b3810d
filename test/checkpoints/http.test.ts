import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import {
  addHost,
  addStudy,
  ended,
  makeCheckpoint,
  metrics,
  ScriptedAttempt,
  type ScriptedCheckpoint,
  sha256Of,
  smallDesign,
  started,
  until,
  uploadBlob,
} from '../support/core.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';
import { putBlob } from '../support/scripted-agent.ts';

let hub: TestHub;
let agentToken: string;
let viewer: TestMember;
let runId: string;
let best: ScriptedCheckpoint;
let later: ScriptedCheckpoint;

/** A finished teacher with its best checkpoint stored whole and a later one of which the last file has not arrived. */
beforeAll(async () => {
  hub = await startTestHub();
  agentToken = (await hub.addToken({ kind: 'agent', label: 'a' }, null)).token;
  viewer = await hub.addMember('viewer');
  const hostId = await addHost(hub.hub);
  await addStudy(hub.hub, smallDesign(), 'Digits "../ é');
  const [grant] = await claimRuns(hub.hub, hostId, 1);
  runId = grant!.runId;
  const trainer = new ScriptedAttempt(hub.hub, grant!);
  [best, later] = [makeCheckpoint(hub.hub, 10, 90), makeCheckpoint(hub.hub, 20, 80, false)];
  await trainer.send(started(), metrics(10, { 'val/top1': 90 }), best.record, later.record);
  for (const content of [...best.contents, ...later.contents.slice(0, 2)]) await uploadBlob(hub.hub, content);
  await trainer.send(ended());
});
afterAll(() => hub.close());

const tempFiles = () => readdir(path.join(hub.hub.blobsDir, 'tmp'));
const asAgent = (sha256: string, init: RequestInit = {}) =>
  fetch(`${hub.url}/api/agent/blobs/${sha256}`, { ...init, headers: { authorization: `Bearer ${agentToken}` } });
const get = (address: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(hub.url + address, { method, headers: { cookie: viewer.cookie, ...headers } });
const addressOf = (checkpoint: ScriptedCheckpoint, file = 'model.safetensors') =>
  `/api/checkpoints/${checkpoint.record.checkpointId}/${file}`;
const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());

describe('agents put and fetch files by hash', () => {
  test('put, ask, fetch, and put again', async () => {
    const content = randomBytes(200_000);
    const sha256 = sha256Of(content);
    expect((await asAgent(sha256, { method: 'HEAD' })).status).toBe(404);
    expect((await asAgent(sha256)).status).toBe(404);
    for (let i = 0; i < 2; i++) {
      const reply = await putBlob(hub, agentToken, sha256, content);
      expect([reply.status, await reply.json()]).toEqual([200, { sha256, sizeBytes: content.length }]);
    }
    const head = await asAgent(sha256, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
    expect(sha256Of(await bytesOf(await asAgent(sha256)))).toBe(sha256);
  });

  test('another content is refused with 422 and leaves nothing', async () => {
    const sha256 = sha256Of('promised');
    const reply = await putBlob(hub, agentToken, sha256, Buffer.from('other'));
    expect(reply.status).toBe(422);
    expect(await reply.json()).toMatchObject({
      error: { code: 'invalid', message: expect.stringMatching(/Send the file again/) },
    });
    expect([(await asAgent(sha256, { method: 'HEAD' })).status, await tempFiles()]).toEqual([404, []]);
  });

  test('a file above the limit is refused before it is read', async () => {
    const reply = await rawRequest(hub.url, `/api/agent/blobs/${sha256Of('x')}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${agentToken}`, 'content-length': '20000000001' },
    });
    expect(reply.status).toBe(413);
  });

  test('an upload that is cut off in the middle leaves nothing, and the next one succeeds', async () => {
    const content = randomBytes(500_000);
    const sha256 = sha256Of(content);
    const { hostname, port } = new URL(hub.url);
    const sent = request({
      hostname,
      port,
      path: `/api/agent/blobs/${sha256}`,
      method: 'PUT',
      headers: { authorization: `Bearer ${agentToken}`, 'content-length': content.length },
    });
    sent.on('error', () => {});
    sent.write(content.subarray(0, 100_000));
    await until(async () => expect(await tempFiles()).toHaveLength(1));
    sent.destroy();
    await until(async () => expect(await tempFiles()).toEqual([]));
    expect((await putBlob(hub, agentToken, sha256, content)).status).toBe(200);
  });

  test('a full disk is 507 with one sentence, and the upload succeeds once there is room', async (context) => {
    const { blobsDir } = hub.hub;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', blobsDir], { stdio: 'ignore' });
    } catch {
      context.skip(true, 'Mounting needs rights that this machine does not give.');
    }
    const content = randomBytes(700_000);
    try {
      await hub.hub.blobs.prepare();
      const reply = await putBlob(hub, agentToken, sha256Of(content), content);
      expect(reply.status).toBe(507);
      expect(await reply.json()).toMatchObject({
        error: { code: 'disk_full', message: expect.stringMatching(/The hub's disk is full: free space where/) },
      });
      expect(await tempFiles()).toEqual([]);
    } finally {
      execFileSync('umount', [blobsDir]);
    }
    expect((await putBlob(hub, agentToken, sha256Of(content), content)).status).toBe(200);
  });

  test('only with an agent token', async () => {
    const sha256 = best.record.files[0]!.sha256;
    const strangers: Record<string, string>[] = [{}, { cookie: viewer.cookie }, { authorization: 'Bearer mt_agent_x' }];
    for (const headers of strangers)
      for (const method of ['GET', 'PUT', 'HEAD']) {
        const body = method === 'PUT' ? 'x' : undefined;
        const reply = await fetch(`${hub.url}/api/agent/blobs/${sha256}`, { method, headers, body });
        expect([method, reply.status]).toEqual([method, 401]);
      }
  });
});

describe('members and programs download checkpoints', () => {
  test('as a file with a name that says what it is, never as a page', async () => {
    const reply = await get(addressOf(best));
    expect(reply.status).toBe(200);
    expect(await bytesOf(reply)).toEqual(best.contents[0]);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-disposition': 'attachment; filename="Digits-e-a-resnet18_w16-seed1-epoch1.safetensors"',
      'content-type': 'application/octet-stream',
      'content-length': '64',
      'x-content-type-options': 'nosniff',
      etag: `"${best.record.files[0]!.sha256}"`,
      'accept-ranges': 'bytes',
    });
    const progress = await get(addressOf(best, 'progress.json'));
    expect(progress.headers.get('content-disposition')).toMatch(/epoch1-progress\.json"$/);
  });

  test('the best of a run by one address, also with curl and a program token', async () => {
    const { token } = await hub.addToken({ kind: 'program', label: 'p', role: 'viewer' }, viewer.id);
    const address = `/api/runs/${runId}/best/model.safetensors`;
    expect(await bytesOf(await get(address))).toEqual(best.contents[0]);
    const reply = await fetch(hub.url + address, { headers: { authorization: `Bearer ${token}` } });
    expect([reply.status, await bytesOf(reply)]).toEqual([200, best.contents[0]]);
  });

  test('not again when the reader has it, and in parts when it asks', async () => {
    const etag = `"${best.record.files[0]!.sha256}"`;
    const again = await get(addressOf(best), { 'if-none-match': `"x", W/${etag}` });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await get(addressOf(best), { 'if-none-match': '"other"' })).status).toBe(200);

    const part = await get(addressOf(best), { range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/64']);
    expect(await bytesOf(part)).toEqual(best.contents[0]!.subarray(10, 20));
    const rest = await get(addressOf(best), { range: 'bytes=60-', 'if-range': etag });
    expect(await bytesOf(rest)).toEqual(best.contents[0]!.subarray(60));
    expect((await get(addressOf(best), { range: 'bytes=60-', 'if-range': '"old"' })).status).toBe(200);
    const beyond = await get(addressOf(best), { range: 'bytes=64-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */64']);
    const head = await get(addressOf(best), {}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '64', '']);
  });

  test('a file that has not arrived, or does not exist, is not found, and says which', async () => {
    const waiting = await get(addressOf(later, 'progress.json'));
    expect([waiting.status, await waiting.text()]).toEqual([
      404,
      expect.stringMatching(/has not arrived from its host/),
    ]);
    for (const address of [
      addressOf(best, 'model.bin'),
      addressOf({ ...best, record: { ...best.record, checkpointId: hub.hub.ids('checkpoint') } }),
      '/api/checkpoints/x/model.safetensors',
      `/api/runs/${hub.hub.ids('run')}/best/model.safetensors`,
      '/api/runs/x/best/model.safetensors',
      `/api/runs/${runId}/best/state.safetensors`,
    ])
      expect([address, (await get(address)).status]).toEqual([address, 404]);
  });

  test('not by strangers, and not by agents', async () => {
    const strangers: Record<string, string>[] = [{}, { authorization: `Bearer ${agentToken}` }];
    for (const headers of strangers) expect((await fetch(hub.url + addressOf(best), { headers })).status).toBe(401);
  });

  test('a reader that leaves in the middle disturbs nobody', async () => {
    const content = randomBytes(5_000_000);
    await uploadBlob(hub.hub, content);
    const aborter = new AbortController();
    const reply = await fetch(`${hub.url}/api/agent/blobs/${sha256Of(content)}`, {
      headers: { authorization: `Bearer ${agentToken}` },
      signal: aborter.signal,
    });
    await reply.body!.getReader().read();
    aborter.abort();
    expect(sha256Of(await bytesOf(await asAgent(sha256Of(content))))).toBe(sha256Of(content));
  });
});

/** Attacks of MLflow's advisories on every address that has a file at its end: none may leave the store. */
const ESCAPES = [
  '..',
  '../..',
  '../../../../etc/passwd',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e/etc/passwd',
  '%252e%252e%252fetc%252fpasswd',
  '..\\..\\etc\\passwd',
  '..%5c..%5cetc%5cpasswd',
  '/etc/passwd',
  '//etc/passwd',
  '.;/..;/etc/passwd',
  'model.safetensors%00.txt',
  'model.safetensors;x=1',
  'file:///etc/passwd',
  '%ff%fe',
];
test.each(ESCAPES)('%s leads nowhere', async (bad) => {
  const asMember = { cookie: viewer.cookie };
  const asHost = { authorization: `Bearer ${agentToken}` };
  const { checkpointId } = best.record;
  const places: [string, Record<string, string>][] = [
    [`/api/checkpoints/${checkpointId}/${bad}`, asMember],
    [`/api/checkpoints/${bad}/model.safetensors`, asMember],
    [`/api/runs/${bad}/best/model.safetensors`, asMember],
    [`/api/agent/blobs/${bad}`, asHost],
  ];
  for (const [address, headers] of places) {
    const reply = await rawRequest(hub.url, address, { headers });
    expect([400, 404], `${address}: ${reply.status}`).toContain(reply.status);
    expect(reply.body).not.toMatch(/root:|BEGIN/);
  }
  const put = await rawRequest(hub.url, `/api/agent/blobs/${bad}`, { method: 'PUT', headers: asHost, body: 'x' });
  expect([400, 404]).toContain(put.status);
  expect(await tempFiles()).toEqual([]);
});
