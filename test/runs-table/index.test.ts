/** The runs table on a real database: filters, order, groups, ranges, export, and that it stays right while runs change. */

import { readRunsState } from '@mealtable/protocol/run-query-address';
import { type RunsPage, type RunsPageRequest, RunsView, type TableRow } from '@mealtable/protocol/run-query-view';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestPause } from '../../server/runs/lifecycle-pause.ts';
import { requestCancel } from '../../server/runs/lifecycle-user.ts';
import { transact } from '../../server/runs/transaction.ts';
import {
  loadRunConfigs,
  loadRunRange,
  loadRunRows,
  loadRunSchema,
  loadRunsPage,
} from '../../server/studies/runs-table/answers.ts';
import { exportLines } from '../../server/studies/runs-table/export-csv.ts';
import { RunIndexes, runIndexes } from '../../server/studies/runs-table/indexes.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  makeDesign,
  metrics,
  runsOf,
  ScriptedAttempt,
  started,
  until,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());

let studyId: string;
let runIds: string[];
/** The first run is running on a host with a hostile name; all others are queued. */
let trainer: ScriptedAttempt;
async function seed() {
  const hostId = await addHost(core.hub, { name: '=cmd|"<b>', slots: 1 });
  studyId = await addStudy(core.hub, makeDesign(), '=HYPERLINK("x")');
  runIds = await runsOf(core.hub, studyId);
  trainer = new ScriptedAttempt(core.hub, await claimOne(core.hub, hostId));
  await trainer.send(started(), metrics(5, { 'val/top1': 40, 'train/loss': 2 }), metrics(10, { 'val/top1': 55 }));
  await trainer.send(metrics(20, { 'val/top1': 50, 'train/loss': 'NaN' }));
}
async function clear() {
  runIndexes(core.hub).close();
  await core.reset();
}

const ask = (view: Partial<RunsView>, more: Partial<RunsPageRequest> = {}): Promise<RunsPage> =>
  loadRunsPage(core.hub, {
    ...{ studyId, view: RunsView.parse(view), open: [], columns: [], offset: 0, limit: 100 },
    ...more,
  });
const idsOf = (rows: readonly TableRow[]) => rows.map((row) => (row.kind === 'run' ? row.run.id : row.key));
const filtered = async (filter: string) => idsOf((await ask({ filter })).rows);

async function variantOf(runId: string): Promise<string> {
  const { rows } = await core.hub.pool.query<{ label: string }>(
    'SELECT v.label FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.id = $1',
    [runId],
  );
  return rows[0]!.label;
}

describe('a table', () => {
  beforeAll(seed);
  afterAll(clear);

  describe('the schema', () => {
    it('has the config’s fields with their kinds, factors that vary, and metrics', async () => {
      const schema = await loadRunSchema(core.hub, studyId);
      expect(schema).toMatchObject({
        runs: 12,
        varied: ['teachers', 'discriminator'],
        metrics: ['train/loss', 'val/top1'],
      });
      expect(schema.config).toContainEqual({ name: 'config.batchSize', kind: 'number' });
      expect(schema.config).toContainEqual({ name: 'config.discriminator', kind: 'boolean' });
      expect(schema.config).toContainEqual({ name: 'config.teachers', kind: 'list' });
      expect(schema.values.teachers).toEqual(expect.arrayContaining(['a', 'b', 'resnet18_w16']));
    });
  });

  describe('a filter', () => {
    it('finds by status, factors, config, metrics, times and words', async () => {
      expect(await filtered('status = running')).toEqual([trainer.runId]);
      expect(await filtered('val/top1.max > 54 and val/top1.last = 50')).toEqual([trainer.runId]);
      expect(await filtered('val/top1 = 55 and val/top1.bestEpoch = 1')).toEqual([trainer.runId]);
      expect(await filtered('train/loss.last = nan and train/loss.min = 2')).toEqual([trainer.runId]);
      expect(await filtered('val/top1 = none')).toHaveLength(11);
      expect(await filtered('teachers has b')).toHaveLength(4);
      expect(await filtered('teachers has "resnet18_w16" and discriminator = off')).toHaveLength(4);
      expect(await filtered('role = student and config.discriminator and seed in (2)')).toHaveLength(2);
      expect(await filtered('role = teacher and network = RESNET18_W16')).toHaveLength(2);
      expect(await filtered('created >= today and not created > 1d ago')).toEqual([]);
      expect(await filtered('started != none and duration < 1h')).toEqual([trainer.runId]);
      expect(await filtered('"seed 2" and host = none')).toHaveLength(5);
      expect(await filtered('host ~ "=CMD"')).toEqual([trainer.runId]);
    });

    it('that cannot be read shows all runs and says why', async () => {
      const page = await ask({ filter: 'seed = "x"' });
      expect(page).toMatchObject({ matching: 12, fault: { from: 7, to: 10 } });
      await expect(
        loadRunRange(core.hub, { studyId, view: RunsView.parse({ filter: 'seed = "x"' }), between: null }),
      ).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('the order', () => {
    it('is by several keys, and runs without a value are last in both directions', async () => {
      const by = async (field: string, descending: boolean) =>
        idsOf((await ask({ sort: [{ field, descending }] })).rows).indexOf(trainer.runId);
      expect([await by('val/top1', true), await by('val/top1', false)]).toEqual([0, 0]);
      const { rows } = await ask({
        sort: [
          { field: 'seed', descending: true },
          { field: 'role', descending: false },
        ],
      });
      const seen = rows.map((row) => row.kind === 'run' && `${row.run.seed} ${row.run.role}`);
      expect(seen.slice(0, 2)).toEqual(['2 baseline', '2 student']);
      expect(seen.slice(-3)).toEqual(['1 student', '1 teacher', '1 teacher']);
    });

    it('without keys is that of the study, and pages are cut from it', async () => {
      const page = await ask({}, { offset: 3, limit: 2 });
      expect(idsOf(page.rows)).toEqual(runIds.slice(3, 5));
      expect(page).toMatchObject({ total: 12, matching: 12, rowCount: 12 });
    });
  });

  describe('groups', () => {
    it('are nested, with counts and mean ± std of what can be averaged', async () => {
      const view = { group: ['role', 'discriminator'], sort: [{ field: 'steps', descending: true }] };
      const columns = ['steps', 'variant', 'seed'];
      const closed = await ask(view, { columns });
      expect(closed.rows.map((row) => row.kind === 'group' && [row.value, row.runs])).toEqual([
        ['teacher', 2],
        ['baseline', 2],
        ['student', 8],
      ]);
      const [teachers] = closed.rows;
      expect(teachers).toMatchObject({
        cells: [
          { kind: 'mean', mean: 10, std: Math.sqrt(200), n: 2 },
          { kind: 'distinct', count: 2 },
          { kind: 'same', value: 1 },
        ],
      });
      const open = await ask(view, { columns, open: ['["student"]', '["student","on"]', '["gone"]'] });
      expect(open.rows.map((row) => row.depth).sort()).toEqual([0, 0, 0, 1, 1, 2, 2, 2, 2]);
      expect(open.rowCount).toBe(3 + 2 + 4);
      expect(open.rows.filter((row) => row.kind === 'run')).toHaveLength(4);
    });
  });

  describe('fields that do not exist', () => {
    it('do no harm in sort, group and columns', async () => {
      const page = await ask(
        { sort: [{ field: 'nope', descending: true }], group: ['../../etc/passwd'] },
        { columns: ['<b>', 'seed', '__proto__'] },
      );
      expect(page.unknown.sort()).toEqual(['../../etc/passwd', '<b>', '__proto__', 'nope']);
      expect(page.rows[0]).toMatchObject({ kind: 'run', cells: [null, 1, null] });
    });
  });

  describe('ranges and configs', () => {
    it('are all that match, or those between two in the order of the view, either way round', async () => {
      const view = RunsView.parse({ sort: [{ field: 'seed', descending: false }] });
      const all = await loadRunRange(core.hub, { studyId, view, between: null });
      expect(all.matching).toBe(12);
      const ids = all.runs.map(({ id }) => id);
      const part = await loadRunRange(core.hub, { studyId, view, between: [ids[6]!, ids[2]!] });
      expect(part.runs.map(({ id }) => id)).toEqual(ids.slice(2, 7));
    });

    it('of runs of other studies hold nothing', async () => {
      const other = await addStudy(core.hub);
      const { runs, fields } = await loadRunConfigs(core.hub, other, runIds.slice(0, 3));
      expect([runs, fields]).toEqual([[], []]);
      const own = await loadRunConfigs(core.hub, studyId, runIds.slice(0, 3));
      const row = (name: string) => own.runs.map(({ values }) => values[own.fields.findIndex((f) => f.name === name)]);
      expect(row('config.batchSize')).toEqual([16, 16, 16]);
      expect(row('config.seed')).toEqual([1, 1, 1]);
    });
  });

  describe('the export', () => {
    const write = async (query: string) => {
      const lines = await exportLines(core.hub, studyId, readRunsState(new URLSearchParams(query)));
      let text = '';
      for await (const part of lines) text += part;
      return text;
    };

    it('is the same bytes for the same rows, and no formula', async () => {
      const query =
        'runs.columns=host,val/top1.max,val/top1.bestEpoch,variant,config.discriminator&runs.filter=status+=+running';
      const text = await write(query);
      expect(text).toBe(
        `id,host,val/top1.max,val/top1.bestEpoch,variant,config.discriminator\n${trainer.runId},"'=cmd|""<b>",55,1,a,\n`.replace(
          ',a,',
          `,${(await variantOf(trainer.runId)).replace(/.*,.*/, '"$&"')},`,
        ),
      );
      expect(await write(query)).toBe(text);
    });

    it('has a filter that cannot be read refused', async () => {
      await expect(write('runs.filter=seed+~+1')).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('visitors of a share link', () => {
    const visiting = () => ({ ...core.hub, visitor: { shareId: 's', studyId } });
    it('see no names of hosts and people, and find nothing by them', async () => {
      const request = { studyId, view: RunsView.parse({}), open: [], columns: ['host', 'seed'], offset: 0, limit: 12 };
      const page = await loadRunsPage(visiting(), request);
      expect(page.unknown).toEqual(['host']);
      expect(JSON.stringify([page, await loadRunSchema(visiting(), studyId)])).not.toContain('=cmd');
      const byHost = await loadRunsPage(visiting(), { ...request, view: RunsView.parse({ filter: '"=cmd"' }) });
      expect(byHost.matching).toBe(0);
      const byField = await loadRunsPage(visiting(), { ...request, view: RunsView.parse({ filter: 'host ~ cmd' }) });
      expect(byField.fault?.message).toContain('There is no field `host`.');
    });
  });
});

describe('while runs change', () => {
  beforeEach(seed);
  afterEach(clear);

  it('the next answer has them: statuses, metrics, new metrics', async () => {
    const columns = ['val/top1.last', 'status'];
    expect((await loadRunRows(core.hub, { studyId, columns, ids: [trainer.runId] }))[0]).toMatchObject({
      cells: [50, 'running'],
    });
    await trainer.send(metrics(30, { 'val/top1': 77, 'val/other': 1 }));
    await transact(core.hub, (tx) => requestPause(tx, [runIds[3]!], null as never));
    await transact(core.hub, (tx) => requestCancel(tx, [runIds[4]!]));
    const read = async () =>
      (await loadRunRows(core.hub, { studyId, columns, ids: [trainer.runId, runIds[3]!, runIds[4]!] })).map(
        (row) => row.cells,
      );
    await until(async () =>
      expect(await read()).toEqual([
        [77, 'running'],
        [null, 'paused'],
        [null, 'cancelled'],
      ]),
    );
    expect(await filtered('status = paused')).toEqual([runIds[3]]);
  });

  it('a study that grows is read anew, and one that is gone is gone', async () => {
    expect((await ask({})).total).toBe(12);
    await core.hub.pool.query('DELETE FROM runs WHERE id = $1', [runIds[11]]);
    core.hub.bus.emit('study:changed', { studyId });
    expect((await ask({})).total).toBe(11);
    await core.hub.pool.query('DELETE FROM studies WHERE id = $1', [studyId]);
    core.hub.bus.emit('study:changed', { studyId });
    await expect(ask({})).rejects.toMatchObject({ code: 'not_found' });
  });

  it('what the bus did not tell is found when there was time to doubt', async () => {
    let now = 0;
    const indexes = new RunIndexes(core.hub, { maxRuns: 100, doubtAfterMs: 1_000 }, () => now);
    const priorityOf = async () => (await indexes.get(studyId)).runs[0]!.summary.priority;
    expect(await priorityOf()).toBe(0);
    await core.hub.pool.query('UPDATE runs SET priority = 9 WHERE id = $1', [runIds[0]]);
    expect(await priorityOf()).toBe(0);
    now = 1_001;
    expect(await priorityOf()).toBe(9);
    indexes.close();
  });

  it('few studies are kept', async () => {
    const other = await addStudy(core.hub);
    const indexes = new RunIndexes(core.hub, { maxRuns: 12, doubtAfterMs: 1e9 });
    const first = await indexes.get(studyId);
    expect(await indexes.get(studyId)).toBe(first);
    await indexes.get(other);
    expect(await indexes.get(studyId)).not.toBe(first);
    indexes.close();
  });

  it('a study without runs has an empty table', async () => {
    await core.hub.pool.query('DELETE FROM runs WHERE study_id = $1', [studyId]);
    expect(await ask({ filter: 'seed = 1', group: ['status'] })).toMatchObject({ total: 0, rowCount: 0, rows: [] });
  });
});
