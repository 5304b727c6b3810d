/** What a study's page begins with, its texts that several people change, and what binds its runs to hosts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { transact } from '../../server/runs/transaction.ts';
import { setRequirements } from '../../server/runs/wishes.ts';
import { createStudy } from '../../server/studies/create.ts';
import { extendStudy } from '../../server/studies/extend.ts';
import { changeText, loadOverview } from '../../server/studies/overview.ts';
import { loadProgress } from '../../server/studies/progress.ts';
import { loadStudyTable } from '../../server/studies/table.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  makeDesign,
  runsOf,
  ScriptedAttempt,
  smallDesign,
  started,
  succeed,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const labelsOf = async (studyId: string) => {
  const { rows } = await core.hub.pool.query<{ labels: string[] }>(
    'SELECT required_labels AS labels FROM runs WHERE study_id = $1 ORDER BY created_at, id',
    [studyId],
  );
  return rows.map(({ labels }) => labels);
};

describe('the page', () => {
  test('begins with the study and its numbers, and says the same of its table as the whole view', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub, makeDesign());
    await succeed(core.hub, await claimOne(core.hub, hostId), 91);
    await succeed(core.hub, await claimOne(core.hub, hostId), 92);
    const overview = await loadOverview(core.hub.pool, studyId);
    expect(overview).toMatchObject({ name: 'study', question: '', variantCount: 7, runCount: 12, comparedCount: 10 });
    const [table, view] = [await loadStudyTable(core.hub.pool, studyId), await loadStudyView(core.hub.pool, studyId)];
    expect(table.rows).toEqual(view.rows);
    expect(table.referenceVariantId).toBe(view.referenceVariantId);
    expect(table.runs).toEqual(
      view.runs.map(({ id, variantId, seed, status, startedAt }) => ({ id, variantId, seed, status, startedAt })),
    );
  });

  test('says what is left from the pace of the runs that train', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    const now = Date.now();
    const progress = () => loadProgress(core.hub.pool, studyId, now);
    expect((await progress()).left).toEqual({ kind: 'unknown', why: 'nothing-runs' });
    const trainer = new ScriptedAttempt(core.hub, await claimOne(core.hub, hostId));
    await trainer.send(started());
    expect((await progress()).left).toEqual({ kind: 'unknown', why: 'no-pace' });
    // Ten of its thirty steps in 100 s; its student is like none that has made a step.
    await core.hub.pool.query(
      `UPDATE run_attempts SET started_at = to_timestamp($2::float8 / 1000) WHERE run_id = $1`,
      [trainer.runId, now - 100_000],
    );
    await core.hub.pool.query(
      `UPDATE runs SET steps_completed = 10, config = jsonb_set(config, '{epochs}', '3') WHERE id = $1`,
      [trainer.runId],
    );
    const { counts, left } = await progress();
    expect(counts).toMatchObject({ running: 1, queued: 1 });
    const atLeast = [{ kind: 'unlike', runs: 1 }];
    expect(left).toEqual({ kind: 'estimate', ms: expect.closeTo(200_000, 0), runs: 1, atOnce: 1, atLeast });
  });

  test('is of studies that there are', async () => {
    const unknown = core.hub.ids('study');
    for (const load of [
      loadOverview,
      loadStudyTable,
      (db: typeof core.hub.pool, id: string) => loadProgress(db, id, 0),
    ])
      await expect(load(core.hub.pool, unknown)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('question and notes', () => {
  test('are changed from what they were, and never over what somebody else has written meanwhile', async () => {
    await addHost(core.hub);
    const id = await addStudy(core.hub);
    const now = async () => {
      const { question, notes } = await loadOverview(core.hub.pool, id);
      return { question, notes };
    };
    await changeText(core.hub, { id, field: 'question', was: '', text: 'Does it help?' });
    await changeText(core.hub, { id, field: 'notes', was: '', text: 'It does.' });
    expect(await now()).toEqual({ question: 'Does it help?', notes: 'It does.' });
    await expect(changeText(core.hub, { id, field: 'notes', was: '', text: 'It does not.' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'Somebody else has changed the notes meanwhile. Copy your text, close, and bring both together.',
    });
    expect((await now()).notes).toBe('It does.');
    // Saved twice, as after an answer that got lost.
    await changeText(core.hub, { id, field: 'notes', was: '', text: 'It does.' });
    await Promise.allSettled(
      ['a', 'b'].map((text) => changeText(core.hub, { id, field: 'notes', was: 'It does.', text })),
    ).then((results) => expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']));
  });
});

describe('a study that is bound to hosts', () => {
  test('asks for the labels with every run, and so do runs that are added', async () => {
    await addHost(core.hub);
    const study = { name: 's', notes: '', createdById: null, requiredLabels: ['alps', 'a100'] };
    const id = await createStudy(core.hub, { ...study, design: smallDesign() });
    expect(await labelsOf(id)).toEqual([
      ['a100', 'alps'],
      ['a100', 'alps'],
    ]);
    await extendStudy(core.hub, id, makeDesign({ ...smallDesign(), seeds: [1, 2] }));
    expect(new Set((await labelsOf(id)).map(String))).toEqual(new Set(['a100,alps']));
    // One run is let go elsewhere: what all have in common stays, and nothing more.
    const [first] = await runsOf(core.hub, id);
    await transact(core.hub, (tx) => setRequirements(tx, [first!], { labels: ['alps'], memoryBytes: null }));
    await extendStudy(core.hub, id, makeDesign({ ...smallDesign(), seeds: [1, 2, 3] }));
    expect((await labelsOf(id)).at(-1)).toEqual(['alps']);
  });
});
