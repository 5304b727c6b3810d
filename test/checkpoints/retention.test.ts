import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sweepBlobs, touchBlob } from '../../server/checkpoints/blob-rows.ts';
import { pickBest, pickLatest } from '../../server/checkpoints/checkpoint-rows.ts';
import { chooseSuperseded } from '../../server/checkpoints/retention.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { removeStudy } from '../../server/studies/manage.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  makeCheckpoint,
  ScriptedAttempt,
  sha256Of,
  started,
  succeed,
  uploadBlob,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const FILES = ['model.safetensors', 'state.safetensors', 'progress.json'].map((name) => ({
  name,
  sha256: 'a'.repeat(64),
  sizeBytes: 1,
}));
/** [step, top1, complete, model only] */
type Short = [number, number | null, boolean?, boolean?];
const checkpoints = (...list: Short[]) =>
  list.map(([stepsCompleted, top1, complete = true, modelOnly = false]) => ({
    id: String(stepsCompleted),
    stepsCompleted,
    top1,
    complete,
    files: modelOnly ? FILES.slice(0, 1) : FILES,
  }));

describe('which checkpoint is which', () => {
  test('of several that are to be kept, the latest resumable ones stay beside the best', () => {
    const all = checkpoints([1, 80], [2, 70], [3, 60], [4, 65, true, true], [5, 50], [6, 40, false]);
    expect(chooseSuperseded(all, { best: 1, latest: 1 })).toEqual(['2', '3', '4']);
    expect(chooseSuperseded(all, { best: 1, latest: 2 })).toEqual(['2']);
    expect(chooseSuperseded(all, { best: 1, latest: 3 })).toEqual([]);
    expect(chooseSuperseded(all, { best: 1, latest: 10 })).toEqual([]);
  });

  test('best is the highest top-1, among equals the earliest, and the latest where nothing was validated', () => {
    expect(pickBest(checkpoints([1, 50], [2, 70], [3, 70], [4, 60]))?.id).toBe('2');
    expect(pickBest(checkpoints([1, null], [2, 0], [3, null]))?.id).toBe('2');
    expect(pickBest(checkpoints([1, null], [2, null]))?.id).toBe('2');
    expect(pickBest([])).toBeUndefined();
    expect(pickLatest(checkpoints([1, 50], [2, 40]))?.id).toBe('2');
  });

  test.each<[string, Short[], string[]]>([
    [
      'best and latest stay',
      [
        [1, 50],
        [2, 70],
        [3, 60],
        [4, 65],
      ],
      ['1', '3'],
    ],
    [
      'one that is both leaves nothing else',
      [
        [1, 50],
        [2, 60],
        [3, 70],
      ],
      ['1', '2'],
    ],
    [
      'what is newer than the latest complete one stays: it is still arriving',
      [
        [1, 50],
        [2, 40],
        [3, 45, false],
      ],
      [],
    ],
    [
      'a better one whose files are still arriving stays, and so does the best of the complete ones',
      [
        [1, 50],
        [2, 70, false],
        [3, 40],
      ],
      [],
    ],
    [
      'nothing goes before something can be resumed from',
      [
        [1, 50, false],
        [2, 60, false],
      ],
      [],
    ],
    [
      'a model alone is nothing to resume from',
      [
        [1, 50],
        [2, 40],
        [3, 30, true, true],
      ],
      [],
    ],
    [
      'a model alone can be the best',
      [
        [1, 50],
        [2, 90, true, true],
        [3, 40],
      ],
      ['1'],
    ],
  ])('%s', (_what, list, superseded) => {
    expect(chooseSuperseded(checkpoints(...list), { best: 1, latest: 1 })).toEqual(superseded);
  });
});

test('as checkpoints arrive, best and latest are kept, and the files of the others go with the next sweep', async () => {
  const { hub } = core;
  const hostId = await addHost(hub);
  await addStudy(hub);
  const trainer = new ScriptedAttempt(hub, await claimOne(hub, hostId));
  await trainer.send(started());
  const made = [50, 70, 60, 65].map((top1, i) => makeCheckpoint(hub, (i + 1) * 10, top1));
  for (const checkpoint of made) {
    await trainer.send(checkpoint.record);
    await uploadCheckpoint(hub, checkpoint);
  }
  const kept = (await loadRunDetail(hub.pool, trainer.runId)).checkpoints;
  expect(kept.map((c) => [c.stepsCompleted, c.isBest, c.isLatest])).toEqual([
    [40, false, true],
    [20, true, false],
  ]);
  const shasOf = (i: number) => made[i]!.record.files.map((f) => f.sha256);
  expect(await sweepBlobs(hub)).toEqual([]);
  expect((await sweepBlobs(hub, 0)).sort()).toEqual([...shasOf(0), ...shasOf(2)].sort());
  for (const sha256 of [...shasOf(1), ...shasOf(3)]) expect(await hub.blobs.stat(sha256)).not.toBeNull();
  for (const sha256 of [...shasOf(0), ...shasOf(2)]) expect(await hub.blobs.stat(sha256)).toBeNull();
});

test('files that a checkpoint shares with another stay as long as one of them is there', async () => {
  const { hub } = core;
  const hostId = await addHost(hub);
  const studies = [await addStudy(hub), await addStudy(hub)];
  const shared = makeCheckpoint(hub, 10, 50);
  for (const _ of studies) {
    const trainer = new ScriptedAttempt(hub, await claimOne(hub, hostId));
    await trainer.send(started(), { ...shared.record, checkpointId: hub.ids('checkpoint') });
    await uploadCheckpoint(hub, shared);
    await hub.pool.query("UPDATE runs SET status = 'cancelled' WHERE id = $1", [trainer.runId]);
  }
  await removeStudy(hub, studies[0]!);
  expect(await sweepBlobs(hub, 0)).toEqual([]);
  await removeStudy(hub, studies[1]!);
  expect(await sweepBlobs(hub, 0)).toHaveLength(3);
});

test('a file that nothing refers to yet is safe for a while after it was uploaded or asked for', async () => {
  const { hub } = core;
  const content = randomBytes(20);
  await uploadBlob(hub, content);
  const age = () => hub.pool.query("UPDATE blobs SET created_at = now() - interval '2 hours'");
  await age();
  expect(await touchBlob(hub.pool, sha256Of(content))).toBe(20);
  expect(await sweepBlobs(hub)).toEqual([]);
  await age();
  expect(await sweepBlobs(hub)).toEqual([sha256Of(content)]);
  expect(await touchBlob(hub.pool, sha256Of(content))).toBeNull();
});

test('a sweep and uploads of the same file at once never leave a row without its file', async () => {
  const { hub } = core;
  const content = randomBytes(5_000);
  const sha256 = sha256Of(content);
  for (let i = 0; i < 15; i++) {
    await Promise.all([uploadBlob(hub, content), sweepBlobs(hub, 0), uploadBlob(hub, content), sweepBlobs(hub, 0)]);
    const { rows } = await hub.pool.query('SELECT 1 FROM blobs WHERE sha256 = $1', [sha256]);
    if (rows.length > 0) expect(await hub.blobs.stat(sha256)).toBe(content.length);
  }
});

test('the best checkpoint of a run that succeeded outlives everything but its study', async () => {
  const { hub } = core;
  const hostId = await addHost(hub);
  const studyId = await addStudy(hub);
  const grant = await claimOne(hub, hostId);
  await succeed(hub, grant);
  expect(await sweepBlobs(hub, 0)).toEqual([]);
  await hub.pool.query("UPDATE runs SET status = 'cancelled' WHERE status = 'queued'");
  await removeStudy(hub, studyId);
  expect(await sweepBlobs(hub, 0)).toHaveLength(3);
});
