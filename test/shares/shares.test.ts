/** A share link opens one study for reading, and nothing else: every procedure, route and topic is tried with it. */
import { AGENT_NAMESPACE } from '@mealtable/protocol/agent-messages';
import { type BrowserToHub, type HubToBrowser, LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import type { Socket } from 'socket.io-client';
import superjson from 'superjson';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { appRouter, createCaller } from '../../server/api/root.ts';
import type { Member } from '../../server/context.ts';
import { createRoutes } from '../../server/http/routes.ts';
import { requestPause } from '../../server/runs/lifecycle-pause.ts';
import { transact } from '../../server/runs/transaction.ts';
import { removeStudy } from '../../server/studies/manage.ts';
import {
  addHost,
  addStudy,
  claimOne,
  ended,
  logLine,
  metrics,
  runsOf,
  ScriptedAttempt,
  started,
  until,
} from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';
import { closeSockets, connectSocket } from '../support/scripted-agent.ts';

/** What no visitor may read anywhere. */
const HOST = 'secret-gpu-box';
const PERSON = 'Grace Hopper';
const REASON = '/home/grace/data';

let hub: TestHub;
let editor: Member;
/** The study behind the link, and another one. */
let mine: { studyId: string; runIds: string[] };
let other: { studyId: string; runIds: string[] };
let share: { id: string; link: string };
let secret: string;

beforeAll(async () => {
  // An address to show as a proxy's visitor, so that one test's wrong tries do not block another's.
  hub = await startTestHub({ env: { origin: 'https://meal.example.org' } });
  const { id, email } = await hub.addMember('editor');
  await hub.hub.db.user.update({ where: { id }, data: { name: PERSON } });
  editor = { id, email, name: PERSON, role: 'editor', via: 'session', credentialId: 'x' };
  const hostId = await addHost(hub.hub, { name: HOST });
  const make = async (name: string) => {
    const studyId = await addStudy(hub.hub, undefined, name);
    return { studyId, runIds: await runsOf(hub.hub, studyId) };
  };
  mine = await make('Mine');
  other = await make('Other');
  await hub.hub.pool.query('UPDATE studies SET created_by_id = $1', [id]);
  const grant = await claimOne(hub.hub, hostId);
  expect(mine.runIds).toContain(grant.runId);
  await new ScriptedAttempt(hub.hub, grant).send(
    started(),
    metrics(10, { 'val/top1': 50 }),
    ended({ outcome: 'failed', failureCode: 'dataset_invalid', message: `${REASON} is not there`, exitCode: 1 }),
  );
  share = await api().shares.create({ studyId: mine.studyId, label: 'Reviewers' });
  secret = share.link.slice(share.link.lastIndexOf('/') + 1);
});
afterEach(closeSockets);
afterAll(() => hub.close());

const api = (member = editor) => createCaller({ ...hub.hub, member });

const bearer = (shown = secret): Record<string, string> => ({ Authorization: `Bearer ${shown}` });

async function call(name: string, type: string, input: unknown, headers = bearer()) {
  const body = JSON.stringify(superjson.serialize(input));
  const reply =
    type === 'query'
      ? await rawRequest(hub.url, `/api/trpc/${name}?input=${encodeURIComponent(body)}`, { headers })
      : await rawRequest(hub.url, `/api/trpc/${name}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...headers },
          body,
        });
  return { status: reply.status, body: reply.body, code: JSON.parse(reply.body).error?.json.data.appError?.code };
}

interface Definition {
  type: string;
  meta?: { isShared?: boolean };
}
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: Definition }>).map(
  ([name, { _def }]) => ({ name, type: _def.type, isShared: _def.meta?.isShared === true }),
);

/** With what a visitor may not know, should it be asked for. */
const COLUMNS = ['status', 'host', 'message', 'variant'];

/** All that a link opens, each with what asks for a study. Whoever adds one here has looked at what it answers. */
const SHARED: Record<string, (of: { studyId: string; runIds: string[] }) => unknown> = {
  'studies.overview': ({ studyId }) => ({ id: studyId }),
  'studies.table': ({ studyId }) => ({ id: studyId }),
  'studies.progress': ({ studyId }) => ({ id: studyId }),
  'studies.costs': ({ studyId }) => ({ id: studyId }),
  'events.ofStudy': ({ studyId }) => ({ id: studyId }),
  'charts.series': ({ runIds }) => ({ runs: runIds, metrics: ['val/top1'], buckets: 10 }),
  'charts.summaries': ({ runIds }) => ({ runs: runIds }),
  'studyCharts.metricNames': ({ studyId }) => ({ id: studyId }),
  'runsTable.schema': ({ studyId }) => ({ studyId }),
  'runsTable.page': ({ studyId }) => ({
    ...{ studyId, view: { filter: '', sort: [], group: [] }, open: [], columns: COLUMNS, offset: 0, limit: 50 },
  }),
  'runsTable.rows': ({ studyId, runIds }) => ({ studyId, columns: COLUMNS, ids: runIds }),
  'runsTable.configs': ({ studyId, runIds }) => ({ studyId, ids: runIds }),
};

const shared = procedures.filter(({ isShared }) => isShared);

describe('procedures', () => {
  test('are shared only where this file says so', () => {
    expect(shared.map(({ name }) => name).filter((name) => !(name in SHARED))).toEqual([]);
    expect(shared.length).toBeGreaterThan(4);
  });

  test('refuse otherwise, every one', async () => {
    const closed = procedures.filter(({ isShared }) => !isShared);
    expect(closed.length).toBeGreaterThan(60);
    const answers = await Promise.all(
      closed.map(async ({ name, type }) => {
        const { status, code } = await call(name, type, { id: mine.studyId });
        return [name, status, code];
      }),
    );
    expect(answers).toEqual(closed.map(({ name }) => [name, 403, 'forbidden']));
  });

  test.each(shared)('$name answers for the study behind the link, and for no other', async ({ name }) => {
    const inputOf = SHARED[name]!;
    expect((await call(name, 'query', inputOf(mine))).status).toBe(200);
    expect(await call(name, 'query', inputOf(other))).toMatchObject({ status: 404, code: 'not_found' });
    const mixed = { studyId: other.studyId, runIds: [...mine.runIds, ...other.runIds] };
    expect(await call(name, 'query', inputOf(mixed))).toMatchObject({ status: 404, code: 'not_found' });
  });

  test.each(shared)('$name names no host and no person', async ({ name }) => {
    const inputOf = SHARED[name]!;
    await transact(hub.hub, (tx) => requestPause(tx, mine.runIds, editor.id, PERSON));
    const { body } = await call(name, 'query', inputOf(mine));
    for (const word of [HOST, PERSON, editor.email, REASON, 'hst_', 'Reviewers']) expect(body).not.toContain(word);
  });

  test.each(shared)('$name gives nothing of another study’s runs beside its own', async ({ name }) => {
    const { status, body } = await call(
      name,
      'query',
      SHARED[name]!({ ...mine, runIds: [...mine.runIds, ...other.runIds] }),
    );
    expect([200, 404]).toContain(status);
    for (const id of other.runIds) expect(body).not.toContain(id);
  });

  test.skipIf(!shared.some(({ name }) => name === 'runsTable.page'))(
    'cannot be asked whether a host is there',
    async () => {
      const inputOf = SHARED['runsTable.page'] as (of: typeof mine) => { view: object };
      for (const view of [
        { filter: `host = "${HOST}"`, sort: [], group: [] },
        { filter: `message ~ "${REASON}"`, sort: [], group: [] },
        { filter: '', sort: [{ field: 'host', descending: false }], group: ['host'] },
      ]) {
        const { body } = await call('runsTable.page', 'query', { ...inputOf(mine), view });
        // Whether it is right or wrong makes no difference to the answer, but for the words themselves.
        const wrong = JSON.parse(
          JSON.stringify(view).replaceAll(HOST, 'x'.repeat(HOST.length)).replaceAll(REASON, 'x'.repeat(REASON.length)),
        );
        const control = await call('runsTable.page', 'query', { ...inputOf(mine), view: wrong });
        expect(body.replaceAll(HOST, 'x'.repeat(HOST.length)).replaceAll(REASON, 'x'.repeat(REASON.length))).toBe(
          control.body,
        );
      }
    },
  );

  test('page through what happened without the events that are not theirs', async () => {
    for (let i = 0; i < 3; i++) {
      const { id } = await api().shares.create({ studyId: mine.studyId, label: `x${i}` });
      await api().shares.revoke({ id });
    }
    const page = async (cursor?: number) => {
      const input = { id: mine.studyId, limit: 1, ...(cursor !== undefined && { cursor }) };
      const { body } = await call('events.ofStudy', 'query', input);
      return JSON.parse(body).result.data.json as { events: { id: number; kind: string }[]; hasOlder: boolean };
    };
    const kinds: string[] = [];
    for (let at = await page(); ; at = await page(at.events[0]!.id)) {
      kinds.push(...at.events.map(({ kind }) => kind));
      if (!at.hasOlder) break;
    }
    expect(kinds).toContain('run-failed');
    expect(kinds.at(-1)).toBe('study-created');
    expect(kinds).not.toContain('study-shared');
  });

  test('cannot be smuggled into a batch', async () => {
    const input = encodeURIComponent(JSON.stringify({ 0: { json: { id: mine.studyId } }, 1: { json: null } }));
    const reply = await rawRequest(hub.url, `/api/trpc/studies.overview,hosts.list?batch=1&input=${input}`, {
      headers: bearer(),
    });
    const answers = JSON.parse(reply.body);
    expect(answers[0].result.data.json.name).toBe('Mine');
    expect(answers[1].error.json.data.appError.code).toBe('forbidden');
    expect(reply.body).not.toContain(HOST);
  });
});

describe('routes', () => {
  const routes = createRoutes(async () => {}, false);
  const forVisitors = routes.filter(({ access }) => access.kind === 'member-or-visitor').map(({ path }) => path);

  test('that read a bearer’s link are these two', () =>
    expect(forVisitors).toEqual(['/api/trpc/*', '/api/charts/series']));

  const closed = routes
    .filter(({ access }) => access.kind === 'member' || access.kind === 'agent')
    .flatMap((route) => route.methods.map((method) => ({ route, method, at: `${method} ${route.path}` })));
  test.each(closed)('$at refuses', async ({ route, method }) => {
    const reply = await rawRequest(hub.url, route.path.replaceAll(/:\w+/g, 'x').replace('*', 'x'), {
      method,
      headers: { ...bearer(), ...(route.json && { 'Content-Type': 'application/json' }) },
    });
    expect([401, 302]).toContain(reply.status);
  });

  test('give points of its runs alone', async () => {
    const ask = (runs: string[]) =>
      rawRequest(hub.url, '/api/charts/series', {
        method: 'POST',
        headers: { ...bearer(), 'Content-Type': 'application/json' },
        body: JSON.stringify({ runs, metrics: ['val/top1'], buckets: 10 }),
      });
    expect((await ask(mine.runIds)).status).toBe(200);
    expect((await ask([...mine.runIds, ...other.runIds])).status).toBe(404);
  });

  test('of the page tell its address to nobody and are not indexed, whether the link is good or not', async () => {
    for (const shown of [secret, 'mt_share_wrong']) {
      const { headers } = await rawRequest(hub.url, `/share/${shown}`);
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['x-robots-tag']).toMatch(/noindex/);
      expect(headers['cache-control']).toMatch(/no-store/);
    }
  });
});

type Visitor = Socket<HubToBrowser, BrowserToHub>;
const visit = (token = secret, headers = {}) =>
  connectSocket<Visitor>(`${hub.url}${LIVE_NAMESPACE}`, { token }, headers);

describe('sockets', () => {
  test('watch the study and its runs, and nothing else', async () => {
    const socket = await visit();
    const watch = async (topic: unknown) => (await socket.emitWithAck('watch', topic as never)).ok;
    expect(await watch({ kind: 'study', studyId: mine.studyId })).toBe(true);
    expect(await watch({ kind: 'run', runId: mine.runIds[0] })).toBe(true);
    expect(await watch({ kind: 'study', studyId: other.studyId })).toBe(false);
    expect(await watch({ kind: 'run', runId: other.runIds[0] })).toBe(false);
    expect(await watch({ kind: 'host', hostId: hub.hub.ids('host') })).toBe(false);
    expect(await watch({ kind: 'all' })).toBe(false);
    expect(await watch({ kind: 'launcher' })).toBe(false);
    const auth = { token: secret, protocolVersion: PROTOCOL_VERSION, agentVersion: '1', hostId: hub.hub.ids('host') };
    await expect(connectSocket(`${hub.url}${AGENT_NAMESPACE}`, auth)).rejects.toThrow('bad_token');
  });

  test('bring points and changes without names, log lines or outputs', async () => {
    const studyId = await addStudy(hub.hub, undefined, 'Live');
    const { link } = await api().shares.create({ studyId, label: 'Live' });
    const hostId = await addHost(hub.hub, { name: HOST, datasets: [] });
    await hub.hub.pool.query(`UPDATE runs SET priority = 100 WHERE study_id = $1`, [studyId]);
    await hub.hub.pool.query(
      `UPDATE hosts SET report = (SELECT report FROM hosts WHERE id <> $1 LIMIT 1) WHERE id = $1`,
      [hostId],
    );
    const grant = await claimOne(hub.hub, hostId);
    const socket = await visit(link.slice(link.lastIndexOf('/') + 1));
    const seen: [string, unknown][] = [];
    socket.onAny((event: string, payload: unknown) => seen.push([event, payload]));
    expect((await socket.emitWithAck('watch', { kind: 'study', studyId })).ok).toBe(true);
    expect((await socket.emitWithAck('watch', { kind: 'run', runId: grant.runId })).ok).toBe(true);
    const trainer = new ScriptedAttempt(hub.hub, grant);
    await trainer.send(started(), logLine(REASON), metrics(1, { 'train/loss': 1 }));
    hub.hub.bus.emit('run:output', {
      ...{ runId: grant.runId, attempt: 1, stream: 'stdout' as const },
      lines: [{ seq: 1, at: 0, line: REASON }],
    });
    await trainer.send(
      ended({ outcome: 'failed', failureCode: 'dataset_invalid', message: `${REASON} is not there`, exitCode: 1 }),
    );
    const of = (event: string) => seen.filter(([name]) => name === event).map(([, payload]) => payload as never);
    await until(() => {
      expect(of('run:changed').map((run: { status: string }) => run.status)).toContain('failed');
      expect(of('event:noted').map((event: { kind: string }) => event.kind)).toContain('run-failed');
      expect(of('run:records')).toHaveLength(1);
    });
    const text = JSON.stringify(seen);
    expect(text).toContain('train/loss');
    for (const word of [HOST, PERSON, REASON, 'hst_']) expect(text).not.toContain(word);
    await removeStudy(hub.hub, studyId);
  });
});

describe('a link', () => {
  test('is stored as a hash, shown once, and known to its study’s list', async () => {
    expect(secret).toMatch(/^mt_share_[\w-]{43}$/);
    const { rows } = await hub.hub.pool.query('SELECT * FROM study_shares');
    expect(JSON.stringify(rows)).not.toContain(secret);
    const [listed] = await api().shares.list({ studyId: mine.studyId });
    expect(listed).toMatchObject({ id: share.id, label: 'Reviewers', createdBy: PERSON });
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(listed?.lastUsedAt).toBeGreaterThan(0);
    const kinds = (await api().events.ofStudy({ id: mine.studyId })).events.map((event) => event.kind);
    expect(kinds).toContain('study-shared');
  });

  test('is made by people, for studies that there are', async () => {
    await expect(api({ ...editor, via: 'token' }).shares.create({ studyId: mine.studyId, label: 'x' })).rejects.toThrow(
      'A program cannot make share links',
    );
    await expect(api().shares.create({ studyId: hub.hub.ids('study'), label: 'x' })).rejects.toThrow(
      'There is no study',
    );
  });

  test('shows nothing more from the moment in which it is revoked, on open pages too', async () => {
    const made = await api().shares.create({ studyId: mine.studyId, label: 'Soon gone' });
    const shown = made.link.slice(made.link.lastIndexOf('/') + 1);
    const input = { id: mine.studyId };
    expect((await call('studies.overview', 'query', input, bearer(shown))).status).toBe(200);
    const page = await visit(shown);
    const member = await visit();
    const gone = new Promise((resolve) => page.once('disconnect', resolve));
    await api().shares.revoke({ id: made.id });
    await gone;
    expect(member.connected).toBe(true);
    expect(await call('studies.overview', 'query', input, bearer(shown))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    await expect(visit(shown)).rejects.toThrow('unauthenticated');
    await expect(api().shares.revoke({ id: made.id })).rejects.toThrow('revoked already');
    expect((await api().shares.list({ studyId: mine.studyId })).map(({ id }) => id)).toEqual([share.id]);
  });

  test('takes no other credential along: a member’s cookie gives it no more', async () => {
    const { cookie } = await hub.addMember('owner');
    expect(await call('hosts.list', 'query', undefined, { ...bearer(), Cookie: cookie })).toMatchObject({
      status: 403,
    });
  });

  test('stands in no line that the hub writes', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await hub.hub.pool.query('ALTER TABLE study_shares RENAME TO shares_gone');
    try {
      expect((await rawRequest(hub.url, `/share/${secret}`)).status).toBe(500);
      expect((await call('studies.overview', 'query', { id: mine.studyId })).status).toBe(500);
      await expect(visit()).rejects.toThrow('Something went wrong');
      const lines = log.mock.calls
        .flat()
        .map((part) => (part instanceof Error ? `${part.message} ${part.stack}` : part));
      expect(lines.join('\n')).toContain('study_shares');
      expect(lines.join('\n')).not.toContain(secret);
    } finally {
      log.mockRestore();
      await hub.hub.pool.query('ALTER TABLE shares_gone RENAME TO study_shares');
    }
  });

  test('that opens nothing is not tried for ever', async () => {
    const from = (address: string, shown: string) =>
      call('studies.overview', 'query', { id: mine.studyId }, { ...bearer(shown), 'X-Forwarded-For': address });
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await from('192.0.2.1', `mt_share_${i}`)).status);
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    expect((await from('192.0.2.1', secret)).status).toBe(429);
    expect((await from('192.0.2.2', secret)).status).toBe(200);
    await expect(visit(secret, { 'X-Forwarded-For': '192.0.2.1' })).rejects.toThrow('unauthenticated');
  });
});
