import { agentTunables } from '@mealtable/protocol/tunables';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeHost } from '../../server/hosts/host-rows.ts';
import { listHosts } from '../../server/hosts/view.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { requestCancel } from '../../server/runs/lifecycle-user.ts';
import { transact } from '../../server/runs/transaction.ts';
import {
  addStudy,
  ended,
  makeDesign,
  metrics,
  RecordNumbers,
  runsOf,
  started,
  statusOf,
  until,
} from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { closeSockets, connectAgent } from '../support/scripted-agent.ts';
import { METRIC_TABLES } from '../support/stored-points.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterEach(closeSockets);
afterAll(() => hub.close());
beforeEach(() => emptyTables(hub.hub.pool, ['studies', 'hosts', ...METRIC_TABLES, 'log_lines']));

const cancel = (...runIds: string[]) => transact(hub.hub, (tx) => requestCancel(tx, runIds));

async function attachedAgent() {
  const agent = await connectAgent(hub);
  await agent.hello();
  return agent;
}
async function runningAttempt() {
  const agent = await attachedAgent();
  await addStudy(hub.hub);
  const [grant] = await agent.request(1);
  const numbers = new RecordNumbers();
  await agent.records(grant!, [numbers.number(started()), numbers.number(metrics(1, { 'train/loss': 1 }))]);
  return { agent, grant: grant!, numbers, ref: { runId: grant!.runId, attempt: 1 } };
}

describe('P5: hello', () => {
  test('puts the host on the list with its report and gives the times and sizes', async () => {
    const agent = await connectAgent(hub);
    expect(await agent.hello([], { name: 'gpu-1', slots: 3 })).toEqual({
      ...{ tunables: agentTunables, takesOutput: true, now: expect.any(Number), attempts: [] },
    });
    expect(await listHosts(hub.hub.pool)).toEqual([
      expect.objectContaining({ id: agent.hostId, name: 'gpu-1', slots: 3, state: 'online', agentVersion: '1.0.0' }),
    ]);
  });

  test('answers each attempt with keep and the mark to send from, or stop and why', async () => {
    const { agent, ref } = await runningAttempt();
    await addStudy(hub.hub, makeDesign());
    const [other] = await agent.request(1);
    await cancel(other!.runId);
    const unknown = { runId: hub.hub.ids('run'), attempt: 3 };
    const older = { runId: ref.runId, attempt: 7 };
    agent.socket.disconnect();
    const again = await connectAgent(hub, { hostId: agent.hostId });
    const otherRef = { runId: other!.runId, attempt: 1 };
    expect((await again.hello([ref, otherRef, unknown, older])).attempts).toEqual([
      { ...ref, ackedSeq: 2, action: 'keep', reason: null },
      { ...otherRef, ackedSeq: 0, action: 'stop', reason: 'cancelled' },
      { ...unknown, ackedSeq: 0, action: 'stop', reason: 'fenced' },
      { ...older, ackedSeq: 0, action: 'stop', reason: 'fenced' },
    ]);
  });

  test('queues again what the hub believed to be there and is not', async () => {
    const { agent, ref } = await runningAttempt();
    agent.socket.disconnect();
    await (await connectAgent(hub, { hostId: agent.hostId })).hello([]);
    const run = await loadRunDetail(hub.hub.pool, ref.runId);
    expect(run).toMatchObject({ status: 'queued' });
    expect(run.attempts[0]).toMatchObject({ outcome: 'lost', failureCode: 'host_lost' });
  });

  test('the newest connection of a host speaks for it; the older one is closed', async () => {
    const { agent, ref } = await runningAttempt();
    const gone = new Promise((resolve) => agent.socket.once('disconnect', resolve));
    const again = await connectAgent(hub, { hostId: agent.hostId });
    await again.hello([ref]);
    await gone;
    expect((await listHosts(hub.hub.pool))[0]).toMatchObject({ state: 'online' });
    expect(await statusOf(hub.hub, ref.runId)).toBe('running');
  });
});

describe('asking for runs', () => {
  test('gives as many as there are slots, and none when there is nothing', async () => {
    const agent = await attachedAgent();
    expect(await agent.request(4)).toEqual([]);
    await addStudy(hub.hub, makeDesign());
    expect(await agent.request(1)).toHaveLength(1);
    expect(await agent.request(64)).toHaveLength(3);
  });

  test('P2: a grant that finds nobody any more goes back at once', async () => {
    const agent = await attachedAgent();
    const [runId] = await runsOf(hub.hub, await addStudy(hub.hub));
    // The run is locked, so the claim passes over it until the socket is gone; then it is freed for the next asker.
    const blocker = await hub.hub.pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE run_attempts IN ACCESS EXCLUSIVE MODE');
    void agent.request(1).catch(() => {});
    await until(async () => {
      const { rows } = await hub.hub.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      expect(rows.length).toBeGreaterThan(0);
    });
    agent.socket.disconnect();
    await until(() => expect(hub.hub.pool.waitingCount).toBe(0));
    await blocker.query('COMMIT');
    blocker.release();
    await until(async () => {
      const run = await loadRunDetail(hub.hub.pool, runId!);
      expect(run).toMatchObject({ status: 'queued', attempt: 1, maxAttempts: 6 });
    });
  });
});

describe('P7: heartbeats', () => {
  test('extend leases, tell which attempts must stop, and keep the host online', async () => {
    const { agent, ref } = await runningAttempt();
    await hub.hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second'");
    await hub.hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '1 hour'");
    const stale = { runId: ref.runId, attempt: 9 };
    expect(await agent.ask('agent:heartbeat', { attempts: [ref, stale] })).toEqual({
      stop: [{ ...stale, reason: 'fenced' }],
    });
    const { rows } = await hub.hub.pool.query('SELECT lease_expires_at > now() AS held FROM runs WHERE id = $1', [
      ref.runId,
    ]);
    expect(rows[0]).toEqual({ held: true });
    expect((await listHosts(hub.hub.pool))[0]?.state).toBe('online');
    await cancel(ref.runId);
    expect(await agent.ask('agent:heartbeat', { attempts: [ref] })).toEqual({
      stop: [{ ...ref, reason: 'cancelled' }],
    });
  });

  test('a host that was taken off the list has to say hello again', async () => {
    const agent = await attachedAgent();
    await hub.hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '1 hour'");
    await removeHost(hub.hub, agent.hostId);
    const gone = new Promise((resolve) => agent.socket.once('disconnect', resolve));
    void agent.ask('agent:heartbeat', { attempts: [] }).catch(() => {});
    await gone;
    await (await connectAgent(hub, { hostId: agent.hostId })).hello();
    expect(await listHosts(hub.hub.pool)).toHaveLength(1);
  });
});

describe('nudges', () => {
  test('come when there is work, for everybody; and for a cancel, to its host', async () => {
    const [one, two] = [await attachedAgent(), await attachedAgent()];
    const both = Promise.all([one.nextNudge(), two.nextNudge()]);
    await addStudy(hub.hub);
    await both;
    const [grant] = await one.request(1);
    const heard: string[] = [];
    one.socket.on('hub:nudge', () => heard.push('one'));
    two.socket.on('hub:nudge', () => heard.push('two'));
    await cancel(grant!.runId);
    await until(() => expect(heard).toEqual(['one']));
    const freed = two.nextNudge();
    await one.records(grant!, [new RecordNumbers().number(ended({ outcome: 'cancelled' }))]);
    await freed;
  });
});

describe('leaving', () => {
  test('a goodbye detaches the host and leaves its runs to their leases; a cut connection is only silence', async () => {
    const { agent, ref } = await runningAttempt();
    agent.socket.disconnect();
    await until(async () => expect((await listHosts(hub.hub.pool))[0]?.state).toBe('detached'));
    expect(await statusOf(hub.hub, ref.runId)).toBe('running');
    const again = await connectAgent(hub, { hostId: agent.hostId });
    await again.hello([ref]);
    expect((await listHosts(hub.hub.pool))[0]).toMatchObject({ state: 'online', runs: [{ id: ref.runId }] });
    again.socket.io.engine.close();
    await until(() => expect(hub.hub.pool.idleCount).toBe(hub.hub.pool.totalCount));
    expect((await listHosts(hub.hub.pool))[0]?.state).toBe('online');
  });

  test('a goodbye is the last word, also while the hub still works on what was said before it', async () => {
    const agent = await connectAgent(hub);
    const waitingForLock = () =>
      hub.hub.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
    const holder = await hub.hub.pool.connect();
    await holder.query('BEGIN; LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE');
    const answer = agent.hello().catch(() => null);
    await until(async () => expect((await waitingForLock()).rowCount).toBe(1));
    agent.socket.disconnect();
    expect(await answer).toBeNull();
    // The hub has read the goodbye when it answers a later message.
    await connectAgent(hub);
    await holder.query('COMMIT');
    holder.release();
    await until(async () => expect((await listHosts(hub.hub.pool))[0]?.state).toBe('detached'));
  });

  test('P7, P14: a hub that starts again keeps every attempt, every record, and gives no run away meanwhile', async () => {
    const { agent, ref, numbers } = await runningAttempt();
    await hub.hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 hour'");
    await hub.restart();
    const again = await connectAgent(hub, { hostId: agent.hostId, token: agent.token });
    expect((await again.hello([ref])).attempts).toEqual([{ ...ref, ackedSeq: 2, action: 'keep', reason: null }]);
    const reply = await again.records(ref, [numbers.number(metrics(2, { 'train/loss': 1 }))]);
    expect(reply).toEqual({ ok: true, ackedSeq: 3, fenced: false });
  });
});
