/** Labels of other hosts on their way into this host's cache. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LABEL_SET_FILE } from '@mealtable/protocol/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AttemptDir } from '../../trainer/agent/attempt-dir.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { fetchLabels } from '../../trainer/agent/fetch-labels.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { hashKey } from '../../trainer/labels/key.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { LabelParts, listParts } from '../../trainer/labels/label-parts.ts';
import { IMAGE_COUNT, labelsOf, makeKey } from '../labels/support.ts';
import { fileOf, newRunId } from './support/make-grant.ts';
import { TestHub, TOKEN } from './support/test-hub.ts';

const LIMITS = { ...agentLimits, retryFirstMs: 2, retryMaxMs: 10 };
const VIEWS = 2;
const key = makeKey();
const pairs = Array.from({ length: IMAGE_COUNT * VIEWS }, (_, n) => n);
const places = pairs.map((n) => n % IMAGE_COUNT);
const views = pairs.map((n) => Math.floor(n / IMAGE_COUNT));
const never = new AbortController().signal;

let hub: TestHub;
let dir: string;
let client: BlobClient;
let gets: string[];
beforeEach(async () => {
  hub = new TestHub();
  await hub.start();
  dir = mkdtempSync(join(tmpdir(), 'fetch-labels-'));
  const cache = new BlobCache(join(dir, 'blobs'), 1_000_000);
  client = new BlobClient({ hub: hub.url, token: TOKEN, cache, limits: LIMITS, log: () => {} });
  gets = [];
  hub.blobFault = ({ url }) => {
    gets.push(url ?? '');
    return false;
  };
});
afterEach(async () => {
  await hub.kill();
  rmSync(dir, { recursive: true, force: true });
});

/** What a run on another host has left at the hub: three files of labels, and what they are. */
function labelElsewhere() {
  const folder = join(dir, 'elsewhere');
  const cache = openLabelCache(folder, key, { writable: true });
  cache.append(places, views, labelsOf(key, places, views));
  const parts = new LabelParts(folder, key);
  const files = listParts(IMAGE_COUNT, VIEWS, 50).map((part) => {
    const file = parts.write(part, (...of) => cache.records(...of));
    hub.blobs.set(file.sha256, readFileSync(parts.pathOf(part)));
    return file;
  });
  cache.close();
  const described = Buffer.from(JSON.stringify({ version: 1, key, viewsPerImage: VIEWS }));
  const set = fileOf(described, LABEL_SET_FILE);
  hub.blobs.set(set.sha256, described);
  return [set, ...files];
}
function attempt() {
  const made = new AttemptDir(dir, { runId: newRunId(), attempt: 1 });
  mkdirSync(join(made.path, 'inputs'), { recursive: true });
  return made;
}
const folder = () => join(dir, 'labels');
const own = () => join(folder(), hashKey(key));
const fetch = (files: Parameters<typeof fetchLabels>[0], signal = never) =>
  fetchLabels(files, { dir: attempt(), blobs: client, folder: folder(), signal });
function coverage() {
  const cache = openLabelCache(folder(), key, { writable: false });
  try {
    return cache.coverage(VIEWS);
  } finally {
    cache.close();
  }
}

test('every file is put where caches find it, once, and is kept nowhere else', async () => {
  const [set, ...files] = labelElsewhere();
  expect(await fetch([set!, ...files])).toEqual({ ok: true });
  expect(readdirSync(own()).sort()).toEqual(files.map(({ name }) => name).sort());
  expect(coverage()).toMatchObject({ labelled: pairs.length, total: pairs.length });
  expect(readdirSync(join(dir, 'blobs'))).toEqual([set!.sha256]);
  const cache = openLabelCache(folder(), key, { writable: false });
  expect(cache.verify().damagedRecords).toEqual([]);
  cache.close();
  expect(gets).toHaveLength(1 + files.length);
  expect(await fetch([set!, ...files])).toEqual({ ok: true });
  expect(gets).toHaveLength(1 + files.length);
});

test('two attempts that need the same labels fetch them once', async () => {
  const files = labelElsewhere();
  expect(await Promise.all([fetch(files), fetch(files)])).toEqual([{ ok: true }, { ok: true }]);
  expect(gets).toHaveLength(files.length);
  expect(coverage().labelled).toBe(pairs.length);
});

test('a file that was cut off is fetched anew, alone', async () => {
  const files = labelElsewhere();
  await fetch(files);
  const cut = files[2]!;
  truncateSync(join(own(), cut.name), cut.sizeBytes - 9);
  gets = [];
  expect(await fetch(files)).toEqual({ ok: true });
  expect(gets).toEqual([expect.stringContaining(cut.sha256)]);
  expect(statSync(join(own(), cut.name)).size).toBe(cut.sizeBytes);
});

test('a host whose own runs have labelled everything fetches nothing', async () => {
  const files = labelElsewhere();
  const cache = openLabelCache(folder(), key, { writable: true });
  cache.append(places, views, labelsOf(key, places, views));
  cache.close();
  expect(await fetch(files)).toEqual({ ok: true });
  expect(gets).toEqual([expect.stringContaining(files[0]!.sha256)]);
});

test('files that the hub lost or has in other bytes end it with a sentence, and nobody sees a piece of them', async () => {
  const files = labelElsewhere();
  const [, first, second] = files;
  hub.blobs.set(second!.sha256, Buffer.alloc(second!.sizeBytes));
  expect(await fetch(files)).toMatchObject({
    ok: false,
    code: 'weights_missing',
    message: expect.stringContaining('does not have its hash'),
  });
  expect(readdirSync(own())).toEqual([first!.name]);
  hub.blobs.delete(second!.sha256);
  expect(await fetch(files)).toMatchObject({ ok: false, code: 'weights_missing' });
  expect(readdirSync(own())).toEqual([first!.name]);
});

test('a description that is none, or none at all, is told apart', async () => {
  const [, ...files] = labelElsewhere();
  expect(await fetch(files)).toMatchObject({ code: 'weights_missing', message: 'The hub lists no labels.' });
  const unknown = Buffer.from(JSON.stringify({ version: 2 }));
  hub.blobs.set(fileOf(unknown).sha256, unknown);
  expect(await fetch([fileOf(unknown, LABEL_SET_FILE), ...files])).toMatchObject({
    code: 'weights_missing',
    message: expect.stringContaining('a way that this version does not know'),
  });
});

test('a stopped attempt ends its fetch, and the next one goes on from what is there', async () => {
  const files = labelElsewhere();
  const stop = new AbortController();
  hub.blobFault = ({ url }, response) => {
    if (!url?.endsWith(files[2]!.sha256)) return false;
    stop.abort();
    response.destroy();
    return true;
  };
  expect(await fetch(files, stop.signal)).toMatchObject({ ok: false, code: 'aborted' });
  hub.blobFault = null;
  expect(await fetch(files)).toEqual({ ok: true });
  expect(coverage().labelled).toBe(pairs.length);
});
