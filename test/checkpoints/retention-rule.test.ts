/** A study's own rule: what it keeps and why, and a preview that is just what is then removed. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sweepBlobs } from '../../server/checkpoints/blob-rows.ts';
import { judgeCheckpoints, ruleFor } from '../../server/checkpoints/retention.ts';
import { applyRetention, previewRetention, pruneEndedRuns } from '../../server/checkpoints/retention-preview.ts';
import { loadCheckpointStatus } from '../../server/checkpoints/status.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  makeDesign,
  metrics,
  ScriptedAttempt,
  type ScriptedCheckpoint,
  started,
  statusOf,
  uploadCheckpoint,
} from '../support/core.ts';

const DEFAULTS = { best: 1, latest: 3 };
const NOTHING_SET = { keptBest: null, keptLatest: null };

describe('why a checkpoint is kept', () => {
  const FILES = ['model.safetensors', 'state.safetensors', 'progress.json'].map((name) => ({
    name,
    sha256: 'a'.repeat(64),
    sizeBytes: 1,
  }));
  const make = (list: [number, number | null, boolean?][]) =>
    list.map(([stepsCompleted, top1, complete = true]) => ({
      id: String(stepsCompleted),
      stepsCompleted,
      top1,
      complete,
      files: FILES,
    }));
  const judge = (list: [number, number | null, boolean?][], best: number, latest: number, evaluated: string[] = []) =>
    Object.fromEntries(
      [...judgeCheckpoints(make(list), { best, latest }, new Set(evaluated))].map(([c, reasons]) => [c.id, reasons]),
    );

  test('the best so many, the latest so many, what is on its way, what is evaluated', () => {
    const all: [number, number | null, boolean?][] = [
      [1, 50],
      [2, 90],
      [3, 80],
      [4, 95, false],
      [5, 40],
      [6, 30],
      [7, 20, false],
    ];
    expect(judge(all, 2, 1, ['1'])).toEqual({
      1: ['evaluation'],
      2: ['best'],
      3: ['best'],
      4: ['arriving'],
      5: [],
      6: ['latest'],
      7: ['arriving'],
    });
    expect(judge(all, 1, 2)).toEqual({
      1: [],
      2: ['best'],
      3: [],
      4: ['arriving'],
      5: ['latest'],
      6: ['latest'],
      7: ['arriving'],
    });
  });

  test('none of the latest: only the best, and what arrives after all', () => {
    const all: [number, number | null, boolean?][] = [
      [1, 90],
      [2, 80],
      [3, 70, false],
    ];
    expect(judge(all, 1, 0)).toEqual({ 1: ['best'], 2: [], 3: ['arriving'] });
    expect(judge([[1, null, false]], 1, 0)).toEqual({ 1: ['only'] });
  });

  test('a run that may go on, and labels, keep their latest whatever the study says', () => {
    const rule = { best: 2, latest: 0 };
    expect(ruleFor(rule, 'succeeded', make([[1, 1]]))).toEqual(rule);
    for (const status of ['queued', 'claimed', 'running', 'failed', 'cancelled'] as const)
      expect(ruleFor(rule, status, make([[1, 1]]))).toEqual({ best: 2, latest: 1 });
    const labels = [{ files: [{ name: 'labels.json', sha256: 'a'.repeat(64), sizeBytes: 1 }] }];
    expect(ruleFor(rule, 'succeeded', labels)).toEqual({ best: 2, latest: 1 });
  });
});

describe('a study', () => {
  let core: Core;
  let studyId: string;
  beforeAll(async () => {
    core = await createCore();
  });
  afterAll(() => core.close());

  /** Two teachers of which the second shares all but its model with the first; three checkpoints each, and one still trains. */
  let made: ScriptedCheckpoint[][];
  let runIds: string[];
  beforeEach(async () => {
    await core.reset();
    const { hub } = core;
    const hostId = await addHost(hub);
    studyId = await addStudy(hub, makeDesign());
    await hub.pool.query('UPDATE studies SET kept_latest = 3 WHERE id = $1', [studyId]);
    made = [];
    runIds = [];
    for (const isLast of [false, true]) {
      const trainer = new ScriptedAttempt(hub, await claimOne(hub, hostId));
      runIds.push(trainer.runId);
      const own = [60, 90, 80].map((top1, i) => {
        const fresh = makeCheckpoint(hub, (i + 1) * 10, top1);
        const first = made[0]?.[i];
        if (!first) return fresh;
        const files = [fresh.record.files[0]!, ...first.record.files.slice(1)];
        return { record: { ...fresh.record, files }, contents: [fresh.contents[0]!, ...first.contents.slice(1)] };
      });
      made.push(own);
      await trainer.send(started(), metrics(30, { 'val/top1': 90 }), ...own.map(({ record }) => record));
      for (const checkpoint of own) await uploadCheckpoint(hub, checkpoint);
      if (!isLast) await trainer.send(ended());
    }
    expect([await statusOf(hub, runIds[0]!), await statusOf(hub, runIds[1]!)]).toEqual(['succeeded', 'running']);
  });
  const checkpointsLeft = async () =>
    (await core.hub.pool.query<{ id: string }>('SELECT id FROM checkpoints')).rows.map(({ id }) => id).sort();
  const idsOf = (...picked: [number, number][]) => picked.map(([run, i]) => made[run]![i]!.record.checkpointId).sort();
  const onlyBest = { keptBest: 1, keptLatest: 0 };

  test('shows what would go and how many bytes become free, shared content once, and removes just that', async () => {
    const { hub } = core;
    const preview = await previewRetention(hub.pool, studyId, onlyBest, DEFAULTS);
    // Of the succeeded run all but the best; of the running one the first: it keeps what it would go on from.
    const going: [number, number][] = [
      [0, 0],
      [0, 2],
      [1, 0],
    ];
    expect(preview.gone.map((c) => c.checkpointId).sort()).toEqual(idsOf(...going));
    // Models of 64 bytes; state and progress (64 + 32) of the first pair go with both, those of the last are the running run's, too.
    expect(preview).toMatchObject({
      current: { keptBest: null, keptLatest: 3 },
      ...{ goneCount: 3, goneFiles: 9, keptCount: 3, freedBytes: 3 * 64 + 96, sharedBytes: 96 },
    });
    const seen = { current: preview.current, fingerprint: preview.fingerprint };
    expect(await applyRetention(hub, studyId, onlyBest, seen, DEFAULTS)).toEqual({ removed: 3 });
    expect(await checkpointsLeft()).toEqual(idsOf([0, 1], [1, 1], [1, 2]));
    const stored = async () => Number((await hub.pool.query('SELECT sum(size_bytes) AS n FROM blobs')).rows[0].n);
    const before = await stored();
    await sweepBlobs(hub, 0);
    expect(before - (await stored())).toBe(preview.freedBytes);
    const view = await loadCheckpointStatus({ ...hub, env: { keptCheckpoints: 3 } } as never, runIds[1]!);
    expect(view).toMatchObject({ rule: { best: 1, latest: 1 }, isOwnRule: true, arriving: {} });
    expect(Object.values(view.kept)).toEqual([['best'], ['latest']]);
  });

  test('is not changed when somebody else has changed it, or when other checkpoints would go by now', async () => {
    const { hub } = core;
    const preview = await previewRetention(hub.pool, studyId, onlyBest, DEFAULTS);
    const apply = (seen: Parameters<typeof applyRetention>[3]) =>
      applyRetention(hub, studyId, onlyBest, seen, DEFAULTS);
    const { current, fingerprint } = preview;
    await expect(apply({ current: NOTHING_SET, fingerprint })).rejects.toThrow(/Somebody has changed/);
    await hub.pool.query('DELETE FROM checkpoints WHERE id = ANY($1)', [idsOf([0, 0])]);
    await expect(apply({ current, fingerprint })).rejects.toThrow(/have come or gone meanwhile/);
    const { rows } = await hub.pool.query('SELECT kept_best, kept_latest FROM studies');
    expect([rows, (await checkpointsLeft()).length]).toEqual([[{ kept_best: null, kept_latest: 3 }], 5]);
    await expect(previewRetention(hub.pool, hub.ids('study'), onlyBest, DEFAULTS)).rejects.toThrow(/There is no study/);
  });

  test('keeps what an evaluation that has not ended is about', async () => {
    const { hub } = core;
    await hub.pool.query(
      `UPDATE runs SET role = 'evaluation', config = jsonb_build_object('source', jsonb_build_object('checkpointId', $2::text))
       WHERE id = $1`,
      [runIds[1], idsOf([0, 0])[0]],
    );
    const preview = await previewRetention(hub.pool, studyId, onlyBest, DEFAULTS);
    expect(preview.gone.map((c) => c.checkpointId)).not.toContain(idsOf([0, 0])[0]);
    expect(preview.gone.map((c) => c.checkpointId)).toContain(idsOf([0, 2])[0]);
  });

  test('prunes a run that succeeds after the rule was set', async () => {
    const { hub } = core;
    await hub.pool.query('UPDATE studies SET kept_latest = 0');
    expect(await pruneEndedRuns(hub, DEFAULTS)).toBe(2);
    expect(await pruneEndedRuns(hub, DEFAULTS)).toBe(0);
    expect(await checkpointsLeft()).toEqual(idsOf([0, 1], [1, 0], [1, 1], [1, 2]));
  });
});
