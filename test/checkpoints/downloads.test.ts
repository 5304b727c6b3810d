/** Checkpoints by their names in addresses, in parts, and taken up again by the programs that people use. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import {
  addHost,
  addStudy,
  makeCheckpoint,
  ScriptedAttempt,
  type ScriptedCheckpoint,
  smallDesign,
  started,
  uploadBlob,
} from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

const execute = promisify(execFile);
let hub: TestHub;
let token: string;
let runId: string;
let dir: string;
/** Of epochs 1, 2, 2.5 and 3; the second is the best, of the last the model has not arrived. */
let made: ScriptedCheckpoint[];

beforeAll(async () => {
  hub = await startTestHub();
  const viewer = await hub.addMember('viewer');
  token = (await hub.addToken({ kind: 'program', label: 'p', role: 'viewer' }, viewer.id)).token;
  dir = await mkdtemp(path.join(tmpdir(), 'mealtable-downloads-'));
  const hostId = await addHost(hub.hub);
  await addStudy(hub.hub, smallDesign(), 'Digits');
  await hub.hub.pool.query('UPDATE studies SET kept_latest = 10');
  const [grant] = await claimRuns(hub.hub, hostId, 1);
  runId = grant!.runId;
  const trainer = new ScriptedAttempt(hub.hub, grant!);
  made = [
    [10, 50],
    [20, 90],
    [25, 80],
    [30, 95],
  ].map(([step, top1]) => makeCheckpoint(hub.hub, step!, top1!));
  await trainer.send(started(), ...made.map(({ record }) => record));
  for (const [i, { contents }] of made.entries())
    for (const content of contents.slice(i === 3 ? 1 : 0)) await uploadBlob(hub.hub, content);
});
afterAll(async () => {
  await hub.close();
  await rm(dir, { recursive: true, force: true });
});

const addressOf = (which: string) => `${hub.url}/api/runs/${runId}/${which}/model.safetensors`;
const get = (which: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(addressOf(which), { method, headers: { authorization: `Bearer ${token}`, ...headers } });
const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());

test.each([
  ['best', 1, 'epoch2'],
  ['latest', 2, 'epoch2.5'],
  ['epoch-1', 0, 'epoch1'],
  ['epoch-2', 1, 'epoch2'],
  ['epoch-2.5', 2, 'epoch2.5'],
])('%s is the model of that checkpoint, named by what it is', async (which, index, name) => {
  const reply = await get(which);
  expect(await bytesOf(reply)).toEqual(made[index]!.contents[0]);
  expect(reply.headers.get('content-disposition')).toBe(
    `attachment; filename="Digits-a-resnet18_w16-seed1-${name}.safetensors"`,
  );
  expect(reply.headers.get('etag')).toBe(`"${made[index]!.record.files[0]!.sha256}"`);
});

test.each(['epoch-3', 'epoch-9', 'epoch-', 'epoch-x', 'epoch--1', 'epoch-1e3', 'first', 'BEST', 'epoch-2.5.1'])(
  '%s is not found, and is told what there is',
  async (which) => {
    const reply = await get(which);
    expect([reply.status, await reply.text()]).toEqual([
      404,
      expect.stringMatching(/ask for best, latest or epoch-3|has no complete checkpoint of epoch/),
    ]);
  },
);

test('one range is a part; several, a weak tag, an old tag or a date are answered by the whole', async () => {
  const content = made[1]!.contents[0]!;
  const etag = `"${made[1]!.record.files[0]!.sha256}"`;
  const suffix = await get('best', { range: 'bytes=-5' });
  expect([suffix.status, suffix.headers.get('content-range')]).toEqual([206, 'bytes 59-63/64']);
  expect(await bytesOf(suffix)).toEqual(content.subarray(59));
  const whole: Record<string, string>[] = [
    { range: 'bytes=0-1,5-6' },
    { range: 'bytes=5-', 'if-range': `W/${etag}` },
    { range: 'bytes=5-', 'if-range': '"old"' },
    { range: 'bytes=5-', 'if-range': 'Wed, 21 Oct 2026 07:28:00 GMT' },
  ];
  for (const headers of whole) {
    const reply = await get('best', headers);
    expect([reply.status, await bytesOf(reply)]).toEqual([200, content]);
  }
  const head = await get('best', { range: 'bytes=5-' }, 'HEAD');
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '64']);
});

test('curl takes up a download where it broke off, under the right name', async () => {
  const auth = ['--header', `Authorization: Bearer ${token}`];
  const content = made[1]!.contents[0]!;
  const partial = path.join(dir, 'partial');
  writeFileSync(partial, content.subarray(0, 20));
  const resume = ['--silent', '--fail', ...auth, '--continue-at', '-', '--output', partial];
  const { stdout } = await execute('curl', [
    ...resume,
    '--write-out',
    '%{http_code} %{size_download}',
    addressOf('best'),
  ]);
  expect([stdout, readFileSync(partial)]).toEqual(['206 44', content]);
  await execute('curl', ['--silent', '--fail', ...auth, '--remote-header-name', '--remote-name', addressOf('best')], {
    cwd: dir,
  });
  expect(readFileSync(path.join(dir, 'Digits-a-resnet18_w16-seed1-epoch2.safetensors'))).toEqual(content);
});
