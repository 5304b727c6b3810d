/** Exports over HTTP, made by the real converter in its own process; a study's models as one zip. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ModelExportView } from '@mealtable/protocol/exports';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCaller } from '../../server/api/root.ts';
import { sha256Of } from '../support/core.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { type FinishedRun, type FinishedStudy, finishStudy } from './support.ts';

/** Of HTML, of a path, of YAML and of a table, and as long as a name may be. */
const NAME = `../../<img src=x onerror=alert(1)> "x": [y] | ${'long '.repeat(40)}`.slice(0, 200).trim();

let hub: TestHub;
let viewer: TestMember;
let study: FinishedStudy;
let teacher: FinishedRun;
let folder: string;
beforeAll(async () => {
  hub = await startTestHub();
  viewer = await hub.addMember('viewer');
  study = await finishStudy(hub.hub, NAME);
  teacher = study.runs[0]!;
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-zip-'));
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

const ask = (address: string, init: RequestInit = {}) =>
  fetch(hub.url + address, { ...init, headers: { cookie: viewer.cookie, ...init.headers } });
const exportsOf = (run: FinishedRun, rest = '') => `/api/checkpoints/${run.checkpointId}/exports${rest}`;
const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());
const prepare = (run: FinishedRun, format: string) =>
  ask(exportsOf(run, `/${format}`), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
const statesOf = async (run: FinishedRun) => {
  const { exports } = (await (await ask(exportsOf(run))).json()) as { exports: ModelExportView[] };
  return Object.fromEntries(exports.map(({ format, state }) => [format, state]));
};
const rowsOf = async () => (await hub.hub.pool.query('SELECT * FROM model_exports')).rows.length;

describe('an export', () => {
  test('is made once for all who ask at once, stored, and sent again to the byte', async () => {
    expect(await statesOf(teacher)).toEqual({
      safetensors: 'ready',
      onnx: 'on-demand',
      'saved-model': 'on-demand',
      'tfjs-graph': 'on-demand',
      'tfjs-layers': 'on-demand',
    });
    const replies = await Promise.all(Array.from({ length: 4 }, () => ask(exportsOf(teacher, '/onnx'))));
    const bodies = await Promise.all(replies.map(bytesOf));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const sha256 = sha256Of(bodies[0]!);
    expect(bodies.map(sha256Of)).toEqual([sha256, sha256, sha256, sha256]);
    expect(await rowsOf()).toBe(1);
    expect(Object.fromEntries(replies[0]!.headers)).toMatchObject({
      etag: `"${sha256}"`,
      'content-disposition': expect.stringMatching(/^attachment; filename="img-src-x[A-Za-z0-9._-]+-epoch3\.onnx"$/),
      'x-content-type-options': 'nosniff',
    });
    const part = await ask(`/api/runs/${teacher.runId}/best/exports/onnx`, { headers: { range: 'bytes=2-5' } });
    expect([part.status, await bytesOf(part)]).toEqual([206, bodies[0]!.subarray(2, 6)]);
    expect((await ask(exportsOf(teacher, '/onnx'), { headers: { 'if-none-match': `"${sha256}"` } })).status).toBe(304);
    const reply = await prepare(teacher, 'onnx');
    expect(await reply.json()).toMatchObject({ format: 'onnx', state: 'ready', sha256, sizeBytes: bodies[0]!.length });
  });

  test('of several files is a zip, and when its file is gone from the store it is made anew to the byte', async () => {
    const before = await bytesOf(await ask(exportsOf(teacher, '/tfjs-graph')));
    await hub.hub.blobs.remove(sha256Of(before));
    const again = await bytesOf(await ask(exportsOf(teacher, '/tfjs-graph')));
    expect(sha256Of(again)).toBe(sha256Of(before));
    const zip = path.join(folder, 'graph.zip');
    await writeFile(zip, before);
    expect(list(zip)).toEqual(['model.json', 'group1-shard1of1.bin', 'model-info.json']);
  });

  test('that is not to be had says why, in the list and when it is asked for', async () => {
    const other = await finishStudy(hub.hub, 'broken');
    await hub.hub.pool.query(`UPDATE checkpoint_files SET sha256 = $1 WHERE checkpoint_id = $2 AND name = $3`, [
      study.runs[1]!.sha256,
      other.runs[0]!.checkpointId,
      'model.safetensors',
    ]);
    const reply = await prepare(other.runs[0]!, 'onnx');
    const message = expect.stringMatching(/^These are not the weights of a resnet18_w16 with 10 classes: its tensor/);
    expect([reply.status, await reply.json()]).toEqual([422, { error: { code: 'invalid', message } }]);
    const { exports } = (await (await ask(exportsOf(other.runs[0]!))).json()) as { exports: ModelExportView[] };
    expect(exports.find(({ format }) => format === 'onnx')).toMatchObject({ state: 'failed', reason: message });
  });

  test('of what does not exist is not found', async () => {
    for (const address of [
      exportsOf(teacher, '/tflite'),
      exportsOf({ ...teacher, checkpointId: hub.hub.ids('checkpoint') }, '/onnx'),
      exportsOf({ ...teacher, checkpointId: 'x' }),
      `/api/runs/${hub.hub.ids('run')}/best/exports/onnx`,
      `/api/runs/${teacher.runId}/first/exports/onnx`,
      `/api/studies/${hub.hub.ids('study')}/models.zip`,
    ])
      expect([address, (await ask(address)).status]).toEqual([address, 404]);
    const wrong = await ask(`/api/studies/${study.studyId}/models.zip?formats=tflite`);
    expect([wrong.status, await wrong.json()]).toEqual([
      422,
      { error: { code: 'invalid', message: expect.stringMatching(/^formats: Unknown format "tflite"/) } },
    ]);
  });
});

/** Names in the order of the zip, by Python's reader, which also checks every sum. */
function list(zip: string): string[] {
  const program =
    'import sys,zipfile,json\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps(z.namelist()))';
  return JSON.parse(execFileSync('python3', ['-c', program, zip], { encoding: 'utf8' }));
}

describe('a study’s models', () => {
  test('are one zip with a manifest and cards, whose length is known before it is sent', async () => {
    const address = `/api/studies/${study.studyId}/models.zip?formats=onnx`;
    const reply = await ask(address);
    const zip = path.join(folder, 'study.zip');
    const body = await bytesOf(reply);
    await writeFile(zip, body);
    expect(reply.headers.get('content-length')).toBe(String(body.length));
    expect(reply.headers.get('content-disposition')).toMatch(
      /^attachment; filename="img-src-x[A-Za-z0-9._-]*models\.zip"$/,
    );
    const names = list(zip);
    const root = names[0]!.split('/')[0]!;
    expect(root).toMatch(/^img-src-x[A-Za-z0-9._-]{1,80}$/);
    expect(names.every((name) => name.startsWith(`${root}/`) && !name.includes('..'))).toBe(true);
    execFileSync('python3', ['-m', 'zipfile', '-e', zip, folder]);

    const manifest = JSON.parse(await readFile(path.join(folder, root, 'manifest.json'), 'utf8'));
    expect(manifest.models).toHaveLength(2);
    for (const model of manifest.models)
      for (const file of model.files)
        expect(sha256Of(await readFile(path.join(folder, root, file.path)))).toBe(file.sha256);
    const student = manifest.models[1];
    expect(student).toMatchObject({
      network: 'resnet18_w8',
      checkpoint: { epoch: 3, valTop1: 72 },
      variantTop1: { mean: 71.5, n: 2 },
      lineage: [{ relation: 'teacher', runId: teacher.runId, sha256: teacher.sha256, top1: 71 }],
      classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
      unavailable: [],
    });
    const card = await readFile(path.join(folder, root, student.folder, 'README.md'), 'utf8');
    expect(card).toMatch(/^---\nlibrary_name: timm\n/);
    expect(card).toContain('71.50 ± 0.71 (n = 2)');
    expect(card).toContain(teacher.sha256);
    expect(card).not.toMatch(/<img/);
    const overview = await readFile(path.join(folder, root, 'README.md'), 'utf8');
    expect(overview).not.toMatch(/<img/);
    expect(sha256Of(await bytesOf(await ask(address)))).toBe(sha256Of(body));
  });

  test('are of every seed when asked for, and cost nothing when only their length is', async () => {
    const address = `/api/studies/${study.studyId}/models.zip?seeds=all`;
    const head = await ask(address, { method: 'HEAD' });
    const zip = path.join(folder, 'best.zip');
    const body = await bytesOf(await ask(address));
    await writeFile(zip, body);
    expect(head.headers.get('content-length')).toBe(String(body.length));
    const models = list(zip).filter((name) => name.endsWith('.safetensors'));
    expect(models.map((name) => name.split('/').at(-1))).toEqual([
      'resnet18_w16-seed1-epoch3.safetensors',
      'resnet18_w8-seed1-epoch3.safetensors',
      'resnet18_w8-seed2-epoch3.safetensors',
    ]);
  });

  test('are listed with what is best of each variant', async () => {
    const caller = createCaller({
      ...hub.hub,
      member: { ...viewer, name: '', role: 'viewer', via: 'session', credentialId: '' },
    });
    const best = await caller.exports.bestOfStudy({ id: study.studyId });
    expect(best.map(({ seed, top1, isBestOfVariant }) => [seed, top1, isBestOfVariant])).toEqual([
      [1, 71, true],
      [1, 71, false],
      [2, 72, true],
    ]);
  });

  test('a reader that leaves in the middle leaves nothing open', async () => {
    const aborter = new AbortController();
    const reply = await ask(`/api/studies/${study.studyId}/models.zip?seeds=all`, { signal: aborter.signal });
    await reply.body!.getReader().read();
    aborter.abort();
    expect((await ask(`/api/studies/${study.studyId}/models.zip`, { method: 'HEAD' })).status).toBe(200);
  });
});

test('nothing of a conversion stays behind', async () => {
  expect(await readdir(path.join(hub.dataDir, 'exporting'))).toEqual([]);
});

test('only for members', async () => {
  const { token } = await hub.addToken({ kind: 'agent', label: 'a' }, null);
  for (const headers of [{}, { authorization: `Bearer ${token}` }] as Record<string, string>[])
    for (const address of [exportsOf(teacher), exportsOf(teacher, '/onnx'), `/api/studies/${study.studyId}/models.zip`])
      expect((await fetch(hub.url + address, { headers })).status).toBe(401);
});
