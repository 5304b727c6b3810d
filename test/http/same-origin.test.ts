/** Foreign pages and foreign names: DNS rebinding, cross-site requests, paths that two readers understand differently. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAllowedHosts } from '../../server/http/allowed-hosts.ts';
import { isPlainPath, matchPath } from '../../server/http/match-path.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';

let hub: TestHub;
let owner: TestMember;
beforeAll(async () => {
  hub = await startTestHub({ env: { origin: 'https://meal.example.org' } });
  owner = await hub.addMember('owner');
});
afterAll(() => hub.close());

const JSON_TYPE = { 'Content-Type': 'application/json' };
const invite = (headers: Record<string, string>, body = '{"json":{}}') =>
  rawRequest(hub.url, '/api/trpc/members.invite', {
    method: 'POST',
    headers: { Cookie: owner.cookie, ...headers },
    body,
  });

describe('the Host header', () => {
  it.each([
    'evil.example',
    'evil.example:3000',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '192.0.2.7',
    '2130706433',
  ])('refuses %j', async (Host) => {
    for (const path of ['/', '/api/health', '/sign-in', '/api/trpc/me.get'])
      expect((await rawRequest(hub.url, path, { headers: { Host, Cookie: owner.cookie } })).status).toBe(421);
  });

  it.each(['127.0.0.1', 'localhost:8080', 'LOCALHOST', '[::1]:3000', 'meal.example.org'])('takes %j', async (Host) => {
    expect((await rawRequest(hub.url, '/api/health', { headers: { Host } })).status).toBe(200);
  });

  it('may be any own address when the hub listens everywhere, but no foreign name', () => {
    const hosts = createAllowedHosts({ host: '0.0.0.0', origin: null });
    expect(hosts.allowsHost('127.0.0.1:3000')).toBe(true);
    expect(hosts.allowsHost('evil.example')).toBe(false);
    expect(createAllowedHosts({ host: '192.0.2.7', origin: null }).allowsHost('192.0.2.7:3000')).toBe(true);
  });
});

describe('the Origin header', () => {
  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1', 'http://meal.example.org', ''])(
    'refuses a change from %j',
    async (Origin) => expect((await invite({ ...JSON_TYPE, Origin })).status).toBe(403),
  );

  it('refuses a change that the browser marks as cross-site, without an Origin', async () => {
    expect((await invite({ ...JSON_TYPE, 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await invite({ ...JSON_TYPE, 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
  });

  it('takes the own page, the announced address, and programs without one', async () => {
    for (const headers of [{ Origin: hub.url }, { Origin: 'https://meal.example.org' }, {}] as Record<string, string>[])
      expect((await invite({ ...JSON_TYPE, ...headers })).status).toBe(422);
  });

  it('refuses sign-in and sign-out from a foreign page', async () => {
    for (const path of ['/api/auth/sign-in/email', '/api/auth/sign-out']) {
      const headers = { ...JSON_TYPE, Origin: 'http://evil.example', Cookie: owner.cookie };
      expect((await rawRequest(hub.url, path, { method: 'POST', headers, body: '{}' })).status).toBe(403);
    }
  });
});

describe('bodies', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('refuses %j, which a form could send', async (type) =>
    expect((await invite(type ? { 'Content-Type': type } : {})).status).toBe(415),
  );

  it('refuses one above the limit, declared or not', async () => {
    const body = JSON.stringify({ json: { name: 'x'.repeat(1_100_000) } });
    expect((await invite(JSON_TYPE, body)).status).toBe(413);
    expect((await invite({ ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }, body)).status).toBe(413);
  });

  it('refuses more calls in one request than a page makes', async () => {
    const names = Array(31).fill('me.get').join(',');
    const input = encodeURIComponent('{}');
    const reply = await rawRequest(hub.url, `/api/trpc/${names}?batch=1&input=${input}`, {
      headers: { Cookie: owner.cookie },
    });
    expect(reply.status).toBe(400);
  });

  it('does not change anything by GET', async () => {
    const input = encodeURIComponent(JSON.stringify({ json: { email: 'a@example.org', name: 'A', role: 'owner' } }));
    const reply = await rawRequest(hub.url, `/api/trpc/members.invite?input=${input}`, {
      headers: { Cookie: owner.cookie },
    });
    expect(reply.status).toBe(405);
    expect(await hub.hub.db.user.count({ where: { email: 'a@example.org' } })).toBe(0);
  });
});

describe('paths', () => {
  it.each([
    '/_next/static/../../api/trpc/me.get',
    '/_next/static/..%2f..%2fsettings',
    '/_next/static/%2e%2e/settings',
    '/_next/static/..%5c..%5csettings',
    '/_next/static/%252e%252e/settings',
    '/_next/static\\..\\settings',
    '/_next/static/..;/settings',
    '//evil.example/_next/static/x',
    '/api/checkpoints/x/..%2f..%2fpostgres%2fpassword',
    '/api/health%00',
    '/%ff',
  ])('refuse %s', async (path) => {
    expect(isPlainPath(path)).toBe(false);
    expect((await rawRequest(hub.url, path, { headers: { Cookie: owner.cookie } })).status).toBe(400);
  });

  it.each([
    ['/api/runs/:id/best/model.safetensors', '/api/runs/run_1/best/model.safetensors', { id: 'run_1' }],
    ['/api/trpc/*', '/api/trpc/a.b,c.d', { '*': 'a.b,c.d' }],
    ['/*', '/', { '*': '' }],
    ['/__nextjs*', '/__nextjs_original', { '*': '_original' }],
    ['/a/:x', '/a/%20', { x: ' ' }],
    ['/a/:x', '/a/', null],
    ['/a/:x', '/a/b/c', null],
    ['/sign-in', '/sign-in/x', null],
    ['/sign-in', '/sign-inx', null],
  ])('%s and %s', (pattern, path, params) => expect(matchPath(pattern, path)).toEqual(params));
});

describe('answers', () => {
  it('carry the security headers, refusals too', async () => {
    for (const path of ['/api/health', '/api/trpc/me.get', '/nowhere']) {
      const { headers } = await rawRequest(hub.url, path);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['referrer-policy']).toBe('same-origin');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('tell nothing of faults inside', async () => {
    const { pool } = hub.hub;
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await pool.query('ALTER TABLE accounts RENAME TO accounts_gone');
    try {
      const reply = await rawRequest(hub.url, '/api/trpc/me.get', { headers: { Cookie: owner.cookie } });
      expect(reply.status).toBe(500);
      expect(reply.body).not.toMatch(/accounts|prisma|stack/i);
      expect(String(log.mock.calls[0]?.[1])).toContain('accounts');
    } finally {
      log.mockRestore();
      await pool.query('ALTER TABLE accounts_gone RENAME TO accounts');
    }
  });
});
