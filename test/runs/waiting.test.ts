/** Why runs wait: each reason by itself, and that a run has none exactly when the next host that asks takes it. */
import type { HostReport } from '@mealtable/protocol/agent-messages';
import type { WaitReason } from '@mealtable/protocol/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drainHost, setLabels } from '../../server/hosts/manage.ts';
import { claimQueuedRuns } from '../../server/runs/claim.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { requestPause } from '../../server/runs/lifecycle-pause.ts';
import { transact } from '../../server/runs/transaction.ts';
import { explainBlocks, explainWaiting, loadQueue, type WaitFacts } from '../../server/runs/waiting.ts';
import { setRequirements } from '../../server/runs/wishes.ts';
import { setMaxConcurrent } from '../../server/studies/manage.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  makeDataset,
  makeDesign,
  runsOf,
  smallDesign,
  statusOf,
} from '../support/core.ts';
import { makeRandom } from '../support/random.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

/** Ids of a study's runs. Its dataset must be somewhere when it is made: on a host that is gone at once. */
async function addRuns(design = smallDesign()): Promise<{ studyId: string; runs: string[] }> {
  const { hub } = core;
  const host = await addHost(hub);
  const studyId = await addStudy(hub, design);
  await hub.pool.query('DELETE FROM hosts WHERE id = $1', [host]);
  return { studyId, runs: await runsOf(hub, studyId) };
}

async function reasonsOf(runId: string): Promise<WaitReason[]> {
  const { items } = await loadQueue(core.hub.pool, { runId });
  if (!items[0]) throw new Error(`${runId} does not wait.`);
  return items[0].reasons;
}
const wish = (runIds: string[], labels: string[], memoryBytes: number | null = null) =>
  transact(core.hub, (tx) => setRequirements(tx, runIds, { labels, memoryBytes }));

describe('a run waits because', () => {
  test('no host is there; then for nothing, and what it needs waits for it', async () => {
    const { hub } = core;
    const [teacher, student] = (await addRuns()).runs as [string, string];
    expect(await reasonsOf(teacher)).toEqual([{ kind: 'no_host', known: 0, away: [] }]);
    const host = await addHost(hub, { name: 'bench' });
    expect(await reasonsOf(teacher)).toEqual([]);
    expect(await reasonsOf(student)).toMatchObject([
      { kind: 'needs_runs', runs: [{ runId: teacher, status: 'queued' }] },
    ]);
    await hub.pool.query(`UPDATE hosts SET last_seen_at = now() - interval '1 hour' WHERE id = $1`, [host]);
    expect(await reasonsOf(teacher)).toEqual([{ kind: 'no_host', known: 1, away: ['bench'] }]);
  });

  test('no host has its dataset, its labels, its memory or its weights, the nearest host deciding', async () => {
    const { hub } = core;
    await addHost(hub, { name: 'other', datasets: [makeDataset({ name: 'other' })] });
    const [run] = (await addRuns()).runs as [string];
    expect(await reasonsOf(run)).toEqual([{ kind: 'no_dataset', dataset: 'digits', forTraining: true, away: [] }]);
    const host = await addHost(hub, { name: 'bench', labels: ['cpu'], weights: [] });
    await wish([run], ['cpu', 'room:2']);
    expect(await reasonsOf(run)).toEqual([{ kind: 'no_labels', labels: ['cpu', 'room:2'], away: [] }]);
    await setLabels(hub, host, ['room:2']);
    expect(await reasonsOf(run)).toEqual([]);
    await wish([run], ['room:2'], 5e9);
    // 8 GB in two slots.
    expect(await reasonsOf(run)).toEqual([{ kind: 'no_memory', bytes: 5e9, most: 4e9, away: [] }]);
    await wish([run], [], 4e9);
    await hub.pool.query(
      `UPDATE runs SET config = config || '{"initialisation":{"kind":"pretrained","weights":"a.b"}}'`,
    );
    expect(await reasonsOf(run)).toEqual([{ kind: 'no_weights', weights: ['a.b'], away: [] }]);
  });

  test('the only host is drained, rests or refused it', async () => {
    const { hub } = core;
    const host = await addHost(hub, { name: 'bench' });
    const [run] = (await addRuns()).runs as [string];
    await drainHost(hub, host);
    expect(await reasonsOf(run)).toEqual([{ kind: 'draining', hosts: ['bench'] }]);
    await hub.pool.query(
      `UPDATE hosts SET draining_at = NULL, resting_until = now() + interval '1 hour', rest_reason = 'X.'`,
    );
    expect(await reasonsOf(run)).toEqual([
      { kind: 'resting', hosts: [{ name: 'bench', until: expect.any(Number), reason: 'X.' }] },
    ]);
    await hub.pool.query(`UPDATE hosts SET resting_until = now()`);
    await hub.pool.query(
      `INSERT INTO run_refusals (run_id, host_id, agent_version, reason) VALUES ($1, $2, '1.0.0', 'Y.')`,
      [run, host],
    );
    expect(await reasonsOf(run)).toEqual([{ kind: 'refused', hosts: [{ name: 'bench', reason: 'Y.' }] }]);
    await hub.pool.query(`UPDATE hosts SET agent_version = '1.0.1'`);
    expect(await reasonsOf(run)).toEqual([]);
  });

  test('somebody paused it, its study has as many active runs as it may, or all slots are taken', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const studyId = await addStudy(hub, makeDesign({ seeds: [1, 2, 3, 4] }));
    const [a, b, c, d] = (await runsOf(hub, studyId)) as [string, string, string, string];
    await hub.pool.query(`INSERT INTO users (id, name, email, updated_at) VALUES ('u', 'Ada', 'a@b.c', now())`);
    await transact(hub, (tx) => requestPause(tx, [a], 'u'));
    expect(await reasonsOf(a)).toEqual([{ kind: 'paused', by: 'Ada', at: expect.any(Number) }]);
    await setMaxConcurrent(hub, studyId, 1);
    expect([await reasonsOf(b), await reasonsOf(c)]).toEqual([[], [{ kind: 'study_limit', limit: 1, studyId }]]);
    expect((await claimRuns(hub, host, 2)).map((grant) => grant.runId)).toEqual([b]);
    expect(await claimRuns(hub, host, 2)).toEqual([]);
    expect(await reasonsOf(c)).toEqual([{ kind: 'study_limit', limit: 1, studyId }]);
    await setMaxConcurrent(hub, studyId, null);
    expect([await reasonsOf(c), await reasonsOf(d)]).toEqual([[], [{ kind: 'no_slot' }]]);
    await claimOne(hub, host);
    expect(await reasonsOf(d)).toEqual([{ kind: 'no_slot' }]);
  });

  test('a limit holds, too, when many hosts ask at once', async () => {
    const { hub } = core;
    const hosts = await Promise.all([addHost(hub), addHost(hub), addHost(hub), addHost(hub)]);
    const studyId = await addStudy(hub, makeDesign({ seeds: [1, 2, 3, 4, 5, 6] }));
    await setMaxConcurrent(hub, studyId, 3);
    const grants = await Promise.all(hosts.map((host) => claimRuns(hub, host, 2)));
    expect(grants.flat()).toHaveLength(3);
  });

  test('the decisive reason comes first', () => {
    const facts: WaitFacts = {
      studyId: 's',
      pausedAt: 1,
      pausedBy: '',
      needs: [{ runId: 'r', label: 'a', status: 'running' }],
      dataset: 'digits',
      forTraining: true,
      labels: [],
      memoryBytes: null,
      weights: [],
      hosts: { known: 0, online: 0, away: [], nearest: null },
      study: { limit: 2, isFull: true },
      isNext: false,
    };
    expect(explainWaiting(facts).map(({ kind }) => kind)).toEqual(['paused', 'needs_runs', 'no_host', 'study_limit']);
    expect(explainBlocks(facts)).toEqual(explainWaiting(facts));
  });
});

test('a run has no reason exactly when some host that asks now for all its free slots is given it', {
  timeout: 60_000,
}, async () => {
  const { hub } = core;
  const draw = makeRandom(20);
  const pick = <T>(...from: T[]): T => from[Math.floor(draw() * from.length)] as T;
  let taken = 0;
  let waited = 0;
  for (let round = 0; round < 12; round++) {
    await core.reset();
    for (let i = 0; i < 4; i++) {
      const gpu = { index: 0, name: 'g', memoryBytes: pick(8e9, 24e9) };
      const report: Partial<HostReport> = {
        name: `host ${i}`,
        slots: pick(1, 2, 3),
        gpus: pick([], [gpu], [gpu, gpu]),
        labels: pick([], ['a'], ['a', 'b']),
        datasets: pick([makeDataset()], [makeDataset()], [makeDataset()], [], [makeDataset({ trainCount: 0 })]),
        weights: pick(undefined, [], ['x.y']),
      };
      const id = await addHost(hub, report);
      await hub.pool.query(
        `UPDATE hosts SET labels = $2, draining_at = $3, resting_until = now() + $4 * interval '1 minute' WHERE id = $1`,
        [id, pick([], [], ['c']), pick(null, null, null, new Date()), pick(null, null, -1, 5)],
      );
    }
    for (let i = 0; i < 3; i++) {
      const { studyId } = await addRuns(makeDesign({ seeds: [1, 2, 3] }));
      await setMaxConcurrent(hub, studyId, pick(null, null, 1, 2));
    }
    const { rows } = await hub.pool.query<{ id: string }>('SELECT id FROM runs ORDER BY created_at');
    const { rows: hosts } = await hub.pool.query<{ id: string; slots: number }>(
      `SELECT id, (report->>'slots')::int AS slots FROM hosts ORDER BY name`,
    );
    for (const { id } of rows) {
      await hub.pool.query(
        `UPDATE runs SET priority = $2, required_labels = $3, required_memory = $4, held_at = $5,
                config = config || $6 WHERE id = $1`,
        [
          id,
          pick(0, 0, 0, 1, -1),
          pick<string[]>([], [], [], ['a'], ['b', 'c']),
          pick(null, null, 6e9, 20e9),
          pick(null, null, null, null, null, new Date()),
          draw() < 0.2 ? { initialisation: { kind: 'pretrained', weights: 'x.y' } } : {},
        ],
      );
      if (draw() < 0.1)
        await hub.pool.query(
          `INSERT INTO run_refusals (run_id, host_id, agent_version, reason) VALUES ($1, $2, $3, 'no')`,
          [id, pick(...hosts).id, pick('1.0.0', '0.9.0')],
        );
    }
    const busy = pick(...hosts);
    await transact(hub, (tx) => claimQueuedRuns(tx, busy.id, 1));

    const given = new Set<string>();
    for (const { id, slots } of hosts) {
      const client = await hub.pool.connect();
      try {
        await client.query('BEGIN');
        const active = await client.query(`SELECT 1 FROM runs WHERE host_id = $1 AND status = 'claimed'`, [id]);
        const claims = await claimQueuedRuns(client as never, id, slots - (active.rowCount ?? 0));
        for (const { runId } of claims) given.add(runId);
        await client.query('ROLLBACK');
      } finally {
        client.release();
      }
    }
    const { items, total } = await loadQueue(hub.pool, { offset: 0, limit: 200 });
    expect(items.length).toBe(total);
    const unblocked = items.filter((item) => item.reasons.length === 0).map((item) => item.run.id);
    expect(unblocked.sort()).toEqual([...given].sort());
    for (const { reasons } of items.filter((item) => given.has(item.run.id))) expect(reasons).toEqual([]);
    taken += given.size;
    waited += items.length - given.size;
  }
  // The worlds drawn say something: both happen often.
  expect(taken).toBeGreaterThan(10);
  expect(waited).toBeGreaterThan(100);
});

test('ten thousand waiting runs are paged in the order in which they will be taken, in well under a second', async () => {
  const { hub } = core;
  await addHost(hub, { datasets: [] });
  const [run] = (await addRuns()).runs as [string];
  await hub.pool.query(
    `INSERT INTO variants (id, study_id, key, position, role, label, levels, network, input_size)
     SELECT 'v' || n, study_id, 'k' || n, 100 + n, role, label, levels, network, input_size
     FROM variants, generate_series(1, 10000) n WHERE id = (SELECT variant_id FROM runs WHERE id = $1)`,
    [run],
  );
  await hub.pool.query(
    `INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network, priority, created_at)
     SELECT 'r' || n, study_id, 'v' || n, role, seed, config, dataset, network, n % 3, created_at + n * interval '1 second'
     FROM runs, generate_series(1, 10000) n WHERE id = $1`,
    [run],
  );
  await hub.pool.query('ANALYZE');
  const page = await loadQueue(hub.pool, { offset: 5_000, limit: 100 });
  expect(page).toMatchObject({ total: 10_002, paused: 0 });
  expect(page.items.map((item) => item.position)).toEqual(Array.from({ length: 100 }, (_, i) => 5_001 + i));
  expect(page.items[0]?.reasons[0]?.kind).toBe('no_dataset');
  expect(await statusOf(hub, run)).toBe('queued');
});
