/** Every address, procedure and namespace refuses who shows nothing, unless the routes table says it is open and why. */
import { AGENT_NAMESPACE } from '@mealtable/protocol/agent-messages';
import { LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appRouter } from '../../server/api/root.ts';
import { createRoutes, type Route } from '../../server/http/routes.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';

let hub: TestHub;
let viewer: TestMember;
beforeAll(async () => {
  hub = await startTestHub();
  viewer = await hub.addMember('viewer');
});
afterAll(() => hub.close());

const routes = createRoutes(async () => {}, false);
/** An address that the pattern fits. */
const exampleOf = ({ path }: Route) => path.replaceAll(/:\w+/g, 'x').replace('*', 'x');
const headersFor = (route: Route): Record<string, string> => (route.json ? { 'Content-Type': 'application/json' } : {});

const cases = routes.flatMap((route) =>
  route.methods.map((method) => ({ route, method, at: `${method} ${route.path}` })),
);
/** The page of a share link says what a link shows, or that it shows nothing: test/shares has it. */
const closed = cases.filter(({ route }) => !['open', 'share-page'].includes(route.access.kind));
const open = cases.filter(({ route }) => route.access.kind === 'open');

describe('routes', () => {
  it.each(closed)('$at refuses who shows no credential', async ({ route, method }) => {
    const reply = await rawRequest(hub.url, exampleOf(route), {
      method,
      headers: headersFor(route),
      body: method === 'POST' ? '{}' : undefined,
    });
    if (route.isPage) {
      expect(reply.status).toBe(302);
      expect(reply.headers.location).toBe('/sign-in?next=%2Fx');
    } else expect(reply.status).toBe(401);
  });

  it.each(closed)('$at refuses made-up credentials', async ({ route, method }) => {
    for (const headers of [
      { Authorization: 'Bearer mt_program_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      { Authorization: 'Bearer mt_agent_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      { Cookie: 'mealtable.session_token=made.up' },
    ] as Record<string, string>[]) {
      const reply = await rawRequest(hub.url, exampleOf(route), {
        method,
        headers: { ...headers, ...headersFor(route) },
      });
      expect([401, 302]).toContain(reply.status);
    }
  });

  it('are open only for a stated reason', () => {
    for (const { route } of open) expect((route.access as { reason: string }).reason).toMatch(/^[A-Z].{20,}\.$/);
    expect([...new Set(open.map(({ route }) => route.path))].sort()).toEqual([
      '/_next/static/*',
      '/api/auth/sign-in/email',
      '/api/auth/sign-out',
      '/api/health',
      '/favicon.ico',
      '/icon.svg',
      '/sign-in',
      '/welcome',
    ]);
  });

  it('leave the rest of better-auth out of reach', async () => {
    for (const path of [
      '/api/auth/sign-up/email',
      '/api/auth/sign-in/magic-link',
      '/api/auth/update-user',
      '/api/auth/get-session',
    ]) {
      const body = JSON.stringify({ email: 'mallory@example.org', password: 'long-enough-password', name: 'M' });
      const headers = { 'Content-Type': 'application/json' };
      expect((await rawRequest(hub.url, path, { method: 'POST', headers, body })).status).toBe(401);
      const asViewer = { ...headers, Cookie: viewer.cookie };
      expect((await rawRequest(hub.url, path, { method: 'POST', headers: asViewer, body })).status).toBe(404);
    }
    expect(await hub.hub.db.user.count({ where: { email: 'mallory@example.org' } })).toBe(0);
  });

  it('keep agents and members apart', async () => {
    const agent = await hub.addToken({ kind: 'agent', label: 'a' }, null);
    const asAgent = { Authorization: `Bearer ${agent.token}` };
    expect((await rawRequest(hub.url, '/api/trpc/me.get', { headers: asAgent })).status).toBe(401);
    expect((await rawRequest(hub.url, `/api/agent/blobs/${'a'.repeat(64)}`, { headers: asAgent })).status).toBe(404);
    expect(
      (await rawRequest(hub.url, `/api/agent/blobs/${'a'.repeat(64)}`, { headers: { Cookie: viewer.cookie } })).status,
    ).toBe(401);
  });

  it('take a token that is shown as the only credential', async () => {
    const headers = { Authorization: 'Bearer wrong', Cookie: viewer.cookie };
    expect((await rawRequest(hub.url, '/api/trpc/me.get', { headers })).status).toBe(401);
  });

  it('name the methods that they take', async () => {
    const reply = await rawRequest(hub.url, '/api/health', { method: 'DELETE' });
    expect(reply.status).toBe(405);
    expect(reply.body).toContain('Use GET or HEAD here.');
  });

  it('send the sign-in page where the visitor wanted to go', async () => {
    const reply = await rawRequest(hub.url, '/studies/stu_1?tab=runs&_rsc=abc');
    expect(reply.headers.location).toBe(`/sign-in?next=${encodeURIComponent('/studies/stu_1?tab=runs')}`);
  });
});

interface Definition {
  type: 'query' | 'mutation' | 'subscription';
  meta?: { needs?: string };
}
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: Definition }>).map(
  ([name, { _def }]) => ({ name, type: _def.type, needs: _def.meta?.needs }),
);
/** A member's own account is theirs, whatever their role. */
const OWN_ACCOUNT = ['me.setPassword'];

async function call(name: string, type: Definition['type'], headers: Record<string, string>) {
  const path = `/api/trpc/${name}`;
  const reply =
    type === 'query'
      ? await rawRequest(hub.url, path, { headers })
      : await rawRequest(hub.url, path, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...headers },
          body: '{"json":{}}',
        });
  return { status: reply.status, code: JSON.parse(reply.body).error?.json.data.appError?.code };
}

describe('procedures', () => {
  it('exist', () => expect(procedures.length).toBeGreaterThan(10));

  it.each(procedures)('$name says which role it needs', ({ needs }) => {
    expect(['viewer', 'editor', 'owner']).toContain(needs);
  });

  it.each(procedures)('$name refuses who shows no credential', async ({ name, type }) => {
    expect(await call(name, type, {})).toEqual({ status: 401, code: 'unauthenticated' });
  });

  const mutations = procedures.filter(({ name, type }) => type === 'mutation' && !OWN_ACCOUNT.includes(name));
  it.each(mutations)('$name refuses a viewer', async ({ name, type }) => {
    expect(await call(name, type, { Cookie: viewer.cookie })).toEqual({ status: 403, code: 'forbidden' });
  });

  it.each(mutations)("$name refuses a viewer's program", async ({ name, type }) => {
    const { token } = await hub.addToken({ kind: 'program', label: 'p', role: 'editor' }, viewer.id);
    expect(await call(name, type, { Authorization: `Bearer ${token}` })).toEqual({ status: 403, code: 'forbidden' });
  });
});

/** @returns null when connected, otherwise the refusal */
function connect(namespace: string, options: { token?: string; cookie?: string; origin?: string; host?: string } = {}) {
  const { token, ...extraHeaders } = options;
  const socket = io(hub.url + namespace, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    auth: { token, protocolVersion: PROTOCOL_VERSION, agentVersion: '1', hostId: hub.hub.ids('host') },
    extraHeaders,
  });
  return new Promise<string | null>((resolve) => {
    socket.once('connect', () => resolve(null));
    socket.once('connect_error', (error) => resolve(error.message));
  }).finally(() => socket.disconnect());
}

describe('namespaces', () => {
  it('refuse who shows nothing', async () => {
    expect(await connect(LIVE_NAMESPACE)).toBe('unauthenticated');
    expect(await connect(AGENT_NAMESPACE)).toBe('bad_token');
    expect(await connect('/')).toMatch(/nothing here/);
    expect(await connect('/other')).toBe('Invalid namespace');
  });

  it('refuse the other kind of token', async () => {
    const agent = await hub.addToken({ kind: 'agent', label: 'a' }, null);
    const program = await hub.addToken({ kind: 'program', label: 'p', role: 'viewer' }, viewer.id);
    expect(await connect(LIVE_NAMESPACE, { token: agent.token })).toBe('unauthenticated');
    expect(await connect(AGENT_NAMESPACE, { token: program.token })).toBe('bad_token');
    expect(await connect(AGENT_NAMESPACE, { cookie: viewer.cookie })).toBe('bad_token');
  });

  it('take a session, a program and an agent', async () => {
    const agent = await hub.addToken({ kind: 'agent', label: 'a' }, null);
    const program = await hub.addToken({ kind: 'program', label: 'p', role: 'viewer' }, viewer.id);
    expect(await connect(LIVE_NAMESPACE, { cookie: viewer.cookie })).toBeNull();
    expect(await connect(LIVE_NAMESPACE, { token: program.token })).toBeNull();
    expect(await connect(AGENT_NAMESPACE, { token: agent.token })).toBeNull();
  });

  it('refuse a foreign page and a foreign name, whatever else is right', async () => {
    const { cookie } = viewer;
    expect(await connect(LIVE_NAMESPACE, { cookie, origin: 'http://evil.example' })).toBe('websocket error');
    expect(await connect(LIVE_NAMESPACE, { cookie, host: 'evil.example' })).toBe('websocket error');
    expect(await connect(LIVE_NAMESPACE, { cookie, origin: hub.url })).toBeNull();
  });

  it('are the only WebSockets', async () => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      Cookie: viewer.cookie,
    };
    for (const path of ['/_next/hmr', '/live', '/api/trpc'])
      await expect(
        rawRequest(hub.url, path, { headers: { ...headers, 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } }),
      ).rejects.toThrow('socket hang up');
  });
});
