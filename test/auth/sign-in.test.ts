/** One-time links, passwords, sessions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWNER_EMAIL, renewSignInLink } from '../../server/auth/members.ts';
import { followLink, startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';

const HOUR_MS = 3_600_000;
let hub: TestHub;
let now = Date.now();
beforeAll(async () => {
  hub = await startTestHub({ env: { origin: 'https://meal.example.org' }, now: () => new Date(now) });
});
afterAll(() => hub.close());

async function ask(procedure: string, cookie: string, input?: unknown) {
  const headers = { Cookie: cookie, 'Content-Type': 'application/json' };
  const reply = await rawRequest(
    hub.url,
    `/api/trpc/${procedure}`,
    input === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify({ json: input }) },
  );
  const { result, error } = JSON.parse(reply.body);
  return { status: reply.status, data: result?.data.json, error: error?.json };
}

/** Every test signs in from an address of its own: the limit is part of one test only. */
let address = 1;
const signIn = (email: string, password: string, from = `192.0.2.${address++}`) =>
  rawRequest(hub.url, '/api/auth/sign-in/email', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': from },
    body: JSON.stringify({ email, password }),
  });

const localLink = (link: string) => hub.url + new URL(link).pathname + new URL(link).search;

describe('one-time links', () => {
  it('sign the owner in, once', async () => {
    const link = localLink(hub.ownerLink);
    const cookie = await followLink(link);
    expect((await ask('me.get', cookie ?? '')).data).toMatchObject({
      email: OWNER_EMAIL,
      role: 'owner',
      hasPassword: false,
    });
    const again = await rawRequest(link, new URL(link).pathname + new URL(link).search);
    expect(again.headers.location).toBe('/sign-in?error=link');
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it('lead to the page for a password, or home when there is one', async () => {
    const { id, email, cookie } = await hub.addMember('viewer');
    const follow = async () => {
      const { token } = await hub.hub.auth.createSignInToken(email);
      return (await rawRequest(hub.url, `/welcome?token=${token}`)).headers.location;
    };
    expect(await follow()).toBe('/welcome');
    await ask('me.setPassword', cookie, { password: 'correct horse battery' });
    expect(await follow()).toBe('/');
    expect(await hub.hub.db.account.count({ where: { userId: id } })).toBe(1);
  });

  it('are stored hashed, replace earlier ones and end with the member', async () => {
    const { id, email } = await hub.addMember('viewer');
    const { token: first } = await hub.hub.auth.createSignInToken(email);
    const { token } = await hub.hub.auth.createSignInToken(email);
    const stored = await hub.hub.db.verification.findMany();
    for (const row of stored) expect(JSON.stringify(row)).not.toContain(token);
    expect(await followLink(`${hub.url}/welcome?token=${first}`)).toBeNull();
    await hub.hub.db.user.delete({ where: { id } });
    expect(await followLink(`${hub.url}/welcome?token=${token}`)).toBeNull();
    expect(await hub.hub.db.user.count({ where: { email } })).toBe(0);
  });

  it('end after a day', async () => {
    const { email } = await hub.addMember('viewer');
    const { token, expiresAt } = await hub.hub.auth.createSignInToken(email);
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(23.9 * HOUR_MS);
    await hub.hub.db.verification.updateMany({ data: { expiresAt: new Date(Date.now() - 1000) } });
    expect(await followLink(`${hub.url}/welcome?token=${token}`)).toBeNull();
  });

  it('make the cookie Secure behind an https address, and only there', async () => {
    const { email } = await hub.addMember('viewer');
    const cookieOf = async (headers: Record<string, string>) => {
      const { token } = await hub.hub.auth.createSignInToken(email);
      return String((await rawRequest(hub.url, `/welcome?token=${token}`, { headers })).headers['set-cookie']);
    };
    const secure = await cookieOf({ Host: 'meal.example.org' });
    expect(secure).toMatch(/^__Secure-mealtable.*HttpOnly; Secure; SameSite=Lax/i);
    const plain = await cookieOf({});
    expect(plain).toMatch(/^mealtable.*HttpOnly; SameSite=Lax/i);
    expect(plain).not.toMatch(/Secure/);
    const cookie = secure.split(';', 1)[0] ?? '';
    const headers = { Host: 'meal.example.org', Cookie: cookie };
    expect((await rawRequest(hub.url, '/api/trpc/me.get', { headers })).status).toBe(200);
  });
});

describe('passwords', () => {
  let member: TestMember;
  const password = 'correct horse battery';
  beforeAll(async () => {
    member = await hub.addMember('editor');
  });

  const cookieBy = async (known: string) =>
    String((await signIn(member.email, known)).headers['set-cookie']).split(';', 1)[0] ?? '';

  it('need ten characters', async () => {
    const { status, error } = await ask('me.setPassword', member.cookie, { password: 'too short' });
    expect(status).toBe(422);
    expect(error.data.appError.problems[0]).toEqual({
      path: 'password',
      message: 'A password has at least 10 characters.',
    });
  });

  it('sign in afterwards, with the name given', async () => {
    expect((await signIn(member.email, password)).status).toBe(401);
    expect((await ask('me.setPassword', member.cookie, { password, name: 'Ada' })).data).toEqual({ ok: true });
    const reply = await signIn(member.email.toUpperCase(), password);
    expect(reply.status).toBe(200);
    const cookie = String(reply.headers['set-cookie']).split(';', 1)[0] ?? '';
    expect((await ask('me.get', cookie)).data).toMatchObject({ name: 'Ada', hasPassword: true, role: 'editor' });
  });

  it('are not stored as they are', async () => {
    const account = await hub.hub.db.account.findFirstOrThrow({ where: { userId: member.id } });
    expect(account.password).not.toContain(password);
    expect(account.password?.length).toBeGreaterThan(100);
  });

  it('need the old one to be changed, and end the other sessions', async () => {
    const [mine, other] = [await cookieBy(password), await cookieBy(password)];
    const next = 'another long password';
    expect((await ask('me.get', mine)).data).toMatchObject({ hasPassword: true, needsOldPassword: true });
    for (const oldPassword of [undefined, 'wrong password']) {
      const { status, error } = await ask('me.setPassword', mine, { password: next, oldPassword });
      expect([status, error.data.appError.problems[0].path]).toEqual([422, 'oldPassword']);
    }
    expect((await ask('me.setPassword', mine, { password: next, oldPassword: password })).status).toBe(200);
    expect((await ask('me.get', other)).status).toBe(401);
    expect((await ask('me.get', mine)).status).toBe(200);
    expect((await signIn(member.email, password)).status).toBe(401);
    expect((await signIn(member.email, next)).status).toBe(200);
  });

  it('can be replaced when forgotten, for half an hour after signing in by a link', async () => {
    const { link } = await renewSignInLink(hub.hub, member.id);
    const cookie = (await followLink(localLink(link))) ?? '';
    expect((await ask('me.get', cookie)).data).toMatchObject({ hasPassword: true, needsOldPassword: false });
    const start = now;
    now = start + 30 * 60_000;
    expect((await ask('me.setPassword', cookie, { password: 'came back too late' })).status).toBe(422);
    now = start;
    expect((await ask('me.setPassword', cookie, { password: 'remembered this time' })).status).toBe(200);
    expect((await signIn(member.email, 'remembered this time')).status).toBe(200);
  });

  it('cannot be set by a program', async () => {
    const { token } = await hub.addToken({ kind: 'program', label: 'p', role: 'editor' }, member.id);
    const reply = await rawRequest(hub.url, '/api/trpc/me.setPassword', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ json: { password: 'taken over now' } }),
    });
    expect(reply.status).toBe(403);
  });

  it('cannot be guessed quickly', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await signIn(member.email, `guess number ${i}`, '203.0.113.9')).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10)).toEqual([429, 429]);
    // A list made up by the client does not help: only what the proxy itself saw counts.
    expect((await signIn(member.email, 'guess again now', '198.51.100.1, 203.0.113.9')).status).toBe(429);
  });

  it('say the same of unknown members as of wrong passwords', async () => {
    const [unknown, wrong] = [
      await signIn('nobody@example.org', 'some password'),
      await signIn(member.email, 'some password'),
    ];
    expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body]);
  });
});

describe('sessions', () => {
  it('end by signing out', async () => {
    const { cookie } = await hub.addMember('viewer');
    const headers = { Cookie: cookie, 'Content-Type': 'application/json', Origin: hub.url };
    expect((await rawRequest(hub.url, '/api/auth/sign-out', { method: 'POST', headers, body: '{}' })).status).toBe(200);
    expect((await ask('me.get', cookie)).status).toBe(401);
  });

  it('outlive a restart of the hub', async () => {
    const { cookie } = await hub.addMember('viewer');
    await hub.restart();
    expect((await ask('me.get', cookie)).status).toBe(200);
  });
});
