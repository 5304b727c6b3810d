/** Conversions one at a time, bounded, with an end in any case; and what becomes of their files. Converters that misbehave are programs of their own. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AppError } from '@mealtable/protocol/errors';
import { OWN_PREPROCESSING } from '@mealtable/protocol/evaluation';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sweepBlobs } from '../../server/checkpoints/blob-rows.ts';
import { type ExportKey, findExports, forgetUnusedExports, recipeOf } from '../../server/exports/export-rows.ts';
import { Exporter, type ExporterOptions } from '../../server/exports/exporter.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { addHost, addStudy, type Core, createCore } from '../support/core.ts';
import { type FinishedRun, finishRun } from './support.ts';

let core: Core;
let run: FinishedRun;
let folder: string;
let exporters: Exporter[];
beforeAll(async () => {
  core = await createCore();
});
beforeEach(async () => {
  await core.reset();
  exporters = [];
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-exporter-'));
  await mkdir(path.join(folder, 'work'));
  const hostId = await addHost(core.hub);
  await addStudy(core.hub);
  const [grant] = await claimRuns(core.hub, hostId, 1);
  run = await finishRun(core.hub, grant!, Buffer.from('weights'), 90);
});
afterEach(async () => {
  await Promise.all(exporters.map((exporter) => exporter.close()));
  expect(await readdir(path.join(folder, 'work'))).toEqual([]);
  await rm(folder, { recursive: true });
});
afterAll(() => core.close());

/** @param program JavaScript; `job` is what it is asked for and `answer` gives its answer */
async function start(program: string, options: Partial<ExporterOptions> = {}): Promise<Exporter> {
  const whole = `
    const fs = require('node:fs');
    const job = JSON.parse(fs.readFileSync(0, 'utf8'));
    const answer = (given) => process.stdout.write(JSON.stringify(given));
    ${program}`;
  const exporter = new Exporter(core.hub, { folder: path.join(folder, 'work'), program: ['-e', whole], ...options });
  exporters.push(exporter);
  await exporter.prepare();
  return exporter;
}

const keyOf = (more: Partial<ExportKey['facts']> = {}): ExportKey => ({
  sourceSha256: run.sha256,
  format: 'onnx',
  facts: { network: 'resnet18_w16', classNames: null, inputSize: 24, preprocessing: OWN_PREPROCESSING, ...more },
});
const WRITES = `fs.writeFileSync(job.output + '/model.onnx', 'model of ' + job.facts.inputSize);
                answer({ ok: true, files: ['model.onnx'] });`;
const hangs = 'setInterval(() => {}, 1000);';

test('one that takes too long is ended, and says so', async () => {
  const exporter = await start(hangs, { deadlineMs: 300 });
  const sentence = 'The conversion took longer than 0.3 seconds and was ended.';
  await expect(exporter.make(keyOf())).rejects.toMatchObject({ code: 'invalid', message: sentence });
  expect(exporter.failureOf(keyOf())).toBe(sentence);
});

test.each([
  ['fails', 'process.exit(3);', /^The converter failed; the hub’s output has the details\.$/],
  ['says nonsense', 'process.stdout.write("{");', /^The converter failed/],
  ['is killed by the system', 'process.kill(process.pid, "SIGKILL"); for (;;);', /want of memory/],
  ['refuses', 'answer({ ok: false, message: "These are no weights." });', /^These are no weights\.$/],
])('one that %s says why, and may be tried again', async (_, program, message) => {
  const exporter = await start(program);
  for (let i = 0; i < 2; i++)
    await expect(exporter.make(keyOf())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  const working = await start(WRITES);
  expect(await working.make(keyOf())).toMatchObject({ sizeBytes: 11 });
});

test('they are made one at a time, each once for all who ask, and never again', async () => {
  const log = path.join(folder, 'log');
  const exporter = await start(`
    const note = (what) => fs.appendFileSync(${JSON.stringify(log)}, what + job.facts.inputSize + ' ');
    note('begin');
    setTimeout(() => { ${WRITES} note('end'); }, 50);`);
  const sizes = [24, 32, 24, 32, 40];
  const made = await Promise.all(sizes.map((inputSize) => exporter.make(keyOf({ inputSize }))));
  expect(new Set(made.map(({ sha256 }) => sha256)).size).toBe(3);
  expect(await readFile(log, 'utf8')).toMatch(/^(begin(\d\d) end\2 ){3}$/);
  // Another hub on the same store.
  const other = await start(hangs);
  expect(await other.make(keyOf())).toEqual(made[0]);
});

test('no more wait than may, and closing tells those that do', async () => {
  const exporter = await start(hangs, { maxWaiting: 2 });
  const errors: unknown[] = [];
  const note = (error: unknown) => errors.push(error);
  const asked = [24, 32, 40].map((inputSize) => exporter.make(keyOf({ inputSize })).catch(note));
  await expect.poll(() => errors.length, { timeout: 60_000 }).toBe(1);
  await exporter.close();
  await Promise.all(asked);
  expect(errors.map((error) => (error as AppError).code)).toEqual(Array(3).fill('unavailable'));
  expect(errors.map((error) => (error as AppError).message)).toEqual([
    '2 conversions are waiting already. Try again in a few minutes.',
    expect.stringMatching(/^The hub is closing/),
    expect.stringMatching(/^The hub is closing/),
  ]);
  expect(exporter.failureOf(keyOf())).toBeNull();
});

test('the sweep leaves an export while its model is there, and takes it with the model', async () => {
  const exporter = await start(WRITES);
  const { sha256 } = await exporter.make(keyOf());
  expect(await sweepBlobs(core.hub, 0)).toEqual([]);
  expect(await core.hub.blobs.stat(sha256)).toBe(11);
  await core.hub.pool.query('DELETE FROM checkpoints WHERE id = $1', [run.checkpointId]);
  expect(await sweepBlobs(core.hub, 0)).toContain(sha256);
  expect(await core.hub.blobs.stat(sha256)).toBeNull();
  expect(await findExports(core.hub.pool, keyOf())).toEqual(new Map());
});

test('one that nobody asks for is forgotten; asking for it counts', async () => {
  const exporter = await start(WRITES);
  const { sha256 } = await exporter.make(keyOf());
  const age = () => core.hub.pool.query(`UPDATE blobs SET created_at = now() - interval '2 days'`);
  await age();
  await exporter.make(keyOf());
  await forgetUnusedExports(core.hub.pool, 86_400_000);
  expect(await findExports(core.hub.pool, keyOf())).toHaveProperty('size', 1);
  await age();
  await forgetUnusedExports(core.hub.pool, 86_400_000);
  expect(await sweepBlobs(core.hub, 0)).toContain(sha256);
});

test('what decides an export is in its recipe, and nothing else', () => {
  const recipe = recipeOf(keyOf());
  const { network, ...rest } = keyOf().facts;
  expect(recipeOf({ facts: { ...rest, network } })).toBe(recipe);
  const others = [
    keyOf({ inputSize: 32 }),
    keyOf({ classNames: ['a'] }),
    keyOf({ network: 'resnet18_w8' }),
    keyOf({ preprocessing: { ...OWN_PREPROCESSING, cropFraction: 1 } }),
  ].map(recipeOf);
  expect(new Set([recipe, ...others]).size).toBe(5);
});
