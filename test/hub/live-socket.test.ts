import {
  type BrowserToHub,
  type HubToBrowser,
  LIVE_NAMESPACE,
  type WatchTopic,
} from '@mealtable/protocol/live-messages';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { addHost, addStudy, ended, metrics, ScriptedAttempt, started, until } from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { closeSockets, connectSocket } from '../support/scripted-agent.ts';
import { METRIC_TABLES } from '../support/stored-points.ts';

let hub: TestHub;
let viewerCookie: string;
beforeAll(async () => {
  hub = await startTestHub();
  viewerCookie = (await hub.addMember('viewer')).cookie;
});
afterEach(closeSockets);
afterAll(() => hub.close());
beforeEach(() => emptyTables(hub.hub.pool, ['studies', 'hosts', ...METRIC_TABLES, 'log_lines']));

type Browser = Socket<HubToBrowser, BrowserToHub>;

/** A page that notes everything it gets, in order. */
async function openPage(...topics: WatchTopic[]) {
  const socket = await connectSocket<Browser>(`${hub.url}${LIVE_NAMESPACE}`, {}, { cookie: viewerCookie });
  const seen: { event: string; payload: unknown }[] = [];
  socket.onAny((event: string, payload: unknown) => seen.push({ event, payload }));
  const watch = (topic: unknown) => socket.emitWithAck('watch', topic as WatchTopic);
  for (const topic of topics) expect(await watch(topic)).toEqual({ ok: true });
  const of = <E extends keyof HubToBrowser>(event: E) =>
    seen.filter((s) => s.event === event).map((s) => s.payload as Parameters<HubToBrowser[E]>[0]);
  return { socket, seen, watch, of };
}
async function startedRun() {
  const hostId = await addHost(hub.hub);
  const studyId = await addStudy(hub.hub);
  const [grant] = await claimRuns(hub.hub, hostId, 1);
  return { studyId, hostId, trainer: new ScriptedAttempt(hub.hub, grant!), runId: grant!.runId };
}

describe('what a page gets', () => {
  test('the records of the runs it watches, with their numbers, gathered into few messages', async () => {
    const { trainer, runId } = await startedRun();
    const page = await openPage({ kind: 'run', runId });
    await trainer.send(started());
    for (let step = 1; step <= 40; step++) await trainer.send(metrics(step, { 'train/loss': 1 / step }));
    const seqs = () => page.of('run:records').flatMap((event) => event.records.map((r) => r.seq));
    await until(() => expect(seqs()).toHaveLength(40));
    expect(seqs()).toEqual(Array.from({ length: 40 }, (_, i) => i + 2));
    expect(page.of('run:records').length).toBeLessThan(40);
    expect(page.of('run:records')[0]).toMatchObject({ runId, attempt: 1 });
    await until(() => {
      const run = page.of('run:changed').findLast((r) => r.id === runId);
      expect(run?.stepsCompleted).toBe(40);
    });
  });

  test('nothing of what it does not watch, or does not watch any more', async () => {
    const { trainer, runId, studyId } = await startedRun();
    const page = await openPage({ kind: 'study', studyId }, { kind: 'run', runId });
    const other = await openPage({ kind: 'run', runId: hub.hub.ids('run') });
    page.socket.emit('unwatch', { kind: 'run', runId });
    await page.watch({ kind: 'all' });
    await trainer.send(started(), metrics(1, { 'train/loss': 1 }));
    await until(() => expect(page.of('run:changed').findLast((r) => r.id === runId)?.status).toBe('running'));
    expect(page.of('run:records')).toEqual([]);
    expect(other.seen).toEqual([]);
  });

  test('a change of a run once, however many of its topics it watches', async () => {
    const { trainer, runId, studyId } = await startedRun();
    const page = await openPage({ kind: 'run', runId }, { kind: 'study', studyId }, { kind: 'all' });
    await trainer.send(started());
    await until(() => expect(page.of('run:changed').findLast((r) => r.id === runId)?.status).toBe('running'));
    expect(page.of('run:changed').filter((r) => r.id === runId && r.status === 'running')).toHaveLength(1);
  });

  test('studies and hosts as they come and go, on the lists', async () => {
    const page = await openPage({ kind: 'all' });
    await addHost(hub.hub);
    const studyId = await addStudy(hub.hub);
    await until(() => {
      expect(page.of('study:changed')).toEqual([{ studyId }]);
      expect(page.of('hosts:changed').length).toBeGreaterThan(0);
    });
  });

  test('a rewind after the points of before it', async () => {
    const { trainer, runId, hostId } = await startedRun();
    const page = await openPage({ kind: 'run', runId });
    await trainer.send(started(), metrics(1, { 'train/loss': 1 }), ended({ outcome: 'interrupted' }));
    const [grant] = await claimRuns(hub.hub, hostId, 1);
    await new ScriptedAttempt(hub.hub, grant!).send(started(), metrics(1, { 'train/loss': 2 }));
    await until(() => expect(page.of('run:records')).toHaveLength(2));
    const order = page.seen.filter((s) => s.event !== 'run:changed');
    expect(order.map((s) => [s.event, (s.payload as { attempt: number }).attempt])).toEqual([
      ['run:records', 1],
      ['run:rewound', 2],
      ['run:records', 2],
    ]);
    expect(page.of('run:rewound')).toEqual([{ runId, attempt: 2, stepsCompleted: 0 }]);
  });
});

describe('who may watch', () => {
  test('a viewer and a program, but nobody unknown', async () => {
    const { id } = await hub.addMember('viewer');
    const { token } = await hub.addToken({ kind: 'program', label: 'x', role: 'viewer' }, id);
    const program = await connectSocket<Browser>(`${hub.url}${LIVE_NAMESPACE}`, { token });
    expect(await program.emitWithAck('watch', { kind: 'all' })).toEqual({ ok: true });
    await expect(connectSocket(`${hub.url}${LIVE_NAMESPACE}`, {})).rejects.toThrow('unauthenticated');
  });

  test('a topic that cannot be read is refused with a sentence, and so is one too many', async () => {
    const page = await openPage();
    expect(await page.watch({ kind: 'run', runId: 'x' })).toMatchObject({ ok: false });
    expect(await page.watch(null)).toMatchObject({ ok: false });
    page.socket.emit('unwatch', 'nonsense' as never);
    const replies = await Promise.all(
      Array.from({ length: 1_001 }, () => page.watch({ kind: 'run', runId: hub.hub.ids('run') })),
    );
    expect(replies.filter((r) => !r.ok)).toEqual([{ ok: false, message: 'A page can watch 1000 topics at most.' }]);
  });
});
