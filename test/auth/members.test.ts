/** Members and their tokens: who may change what, and what ends with it. */
import type { IncomingHttpHeaders } from 'node:http';
import { LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCaller } from '../../server/api/root.ts';
import { identifyAgent, identifyMember } from '../../server/auth/identify.ts';
import type { ApiContext, Member } from '../../server/context.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';

let test: TestHub;
let owner: TestMember;
beforeAll(async () => {
  test = await startTestHub();
  owner = await test.addMember('owner');
});
afterAll(() => test.close());

async function as(who: { cookie?: string; token?: string }) {
  const headers = { cookie: who.cookie, authorization: who.token && `Bearer ${who.token}` };
  const { member } = await identifyMember(test.hub, headers, false);
  const context: ApiContext = { ...test.hub, member };
  return createCaller(context);
}
const firstOwner = () => test.hub.db.user.findFirstOrThrow({ where: { role: 'owner' }, orderBy: { createdAt: 'asc' } });

describe('members', () => {
  it('are invited by an owner, once per address', async () => {
    const api = await as(owner);
    const { link, expiresAt } = await api.members.invite({ email: 'Ada@Example.org', name: 'Ada', role: 'editor' });
    expect(link).toMatch(new RegExp(`^${test.url}/welcome\\?token=\\w{32}$`));
    expect(expiresAt).toBeGreaterThan(Date.now());
    expect(await api.members.list()).toContainEqual(
      expect.objectContaining({ email: 'ada@example.org', role: 'editor', hasPassword: false, lastSeenAt: null }),
    );
    await expect(api.members.invite({ email: 'ada@example.org', name: 'A', role: 'viewer' })).rejects.toThrow(
      'There is a member with the address ada@example.org already.',
    );
  });

  it.each([
    [{ email: 'ada', name: 'A', role: 'viewer' }, 'email'],
    [{ email: 'b@example.org', name: ' ', role: 'viewer' }, 'name'],
    [{ email: 'b@example.org', name: 'B', role: 'admin' }, 'role'],
  ] as const)('are not invited with %j', async (input, path) => {
    const api = await as(owner);
    const refused = await api.members.invite(input as never).catch((error) => error);
    expect(refused.cause.problems[0].path).toBe(path);
  });

  it('lose access at once when they are removed, sockets included', async () => {
    const editor = await test.addMember('editor');
    const api = await as(owner);
    const { token } = await (await as(editor)).tokens.create({ kind: 'program', label: 'p', role: 'editor' });
    const { token: agentToken } = await (await as(editor)).tokens.create({ kind: 'agent', label: 'a' });
    const socket = io(test.url + LIVE_NAMESPACE, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
    });
    await new Promise((resolve) => socket.once('connect', () => resolve(null)));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    await api.members.remove({ id: editor.id });
    expect(await closed).toBe('transport close');
    expect((await identifyMember(test.hub, { cookie: editor.cookie }, false)).member).toBeNull();
    expect((await identifyMember(test.hub, { authorization: `Bearer ${token}` }, false)).member).toBeNull();
    expect(await identifyAgent(test.hub, agentToken)).toBeNull();
    await expect(api.members.remove({ id: editor.id })).rejects.toThrow('There is no such member any more.');
  });

  it('get a new role at once, and so do their programs', async () => {
    const member = await test.addMember('editor');
    const { token } = await (await as(member)).tokens.create({ kind: 'program', label: 'p', role: 'editor' });
    const roleOf = async (headers: IncomingHttpHeaders) =>
      (await identifyMember(test.hub, headers, false)).member?.role;
    expect(await roleOf({ authorization: `Bearer ${token}` })).toBe('editor');
    await (await as(owner)).members.setRole({ id: member.id, role: 'viewer' });
    expect(await roleOf({ cookie: member.cookie })).toBe('viewer');
    expect(await roleOf({ authorization: `Bearer ${token}` })).toBe('viewer');
  });

  it('always have an owner, also when two changes meet', async () => {
    const api = await as(owner);
    const first = await firstOwner();
    const results = await Promise.allSettled([
      api.members.setRole({ id: first.id, role: 'viewer' }),
      api.members.setRole({ id: owner.id, role: 'viewer' }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const left = await test.hub.db.user.findMany({ where: { role: 'owner' } });
    expect(left).toHaveLength(1);
    await test.hub.db.user.updateMany({ where: { id: { in: [first.id, owner.id] } }, data: { role: 'owner' } });
  });

  it('are seen at most once a minute', async () => {
    const member = await test.addMember('viewer');
    const seen = async () => (await test.hub.db.user.findUniqueOrThrow({ where: { id: member.id } })).lastSeenAt;
    await as(member);
    const first = await seen();
    expect(first).not.toBeNull();
    await as(member);
    expect(await seen()).toEqual(first);
  });
});

it('names and labels with a character that the database cannot hold are taken without it', async () => {
  const api = await as(owner);
  await api.members.invite({ email: 'nul@example.org', name: 'A\0B', role: 'viewer' });
  expect((await api.members.list()).find((m) => m.email === 'nul@example.org')?.name).toBe('A\uFFFDB');
  const { id } = await api.tokens.create({ kind: 'agent', label: 'A\0B' });
  expect((await api.tokens.list()).find((t) => t.id === id)?.label).toBe('A\uFFFDB');
  await expect(api.members.remove({ id: '\0' })).rejects.toThrow('There is no such member any more.');
});

describe('tokens', () => {
  it('are shown once and stored hashed', async () => {
    const editor = await test.addMember('editor');
    const api = await as(editor);
    const { id, token } = await api.tokens.create({ kind: 'program', label: 'script', role: 'viewer' });
    expect(token).toMatch(/^mt_program_[\w-]{43}$/);
    expect(JSON.stringify(await test.hub.db.token.findMany())).not.toContain(token.slice(16));
    expect(await api.tokens.list()).toContainEqual(
      expect.objectContaining({
        id,
        kind: 'program',
        role: 'viewer',
        label: 'script',
        hint: token.slice(0, 15),
        lastUsedAt: null,
      }),
    );
    await as({ token });
    expect((await api.tokens.list()).find((row) => row.id === id)?.lastUsedAt).toBeGreaterThan(0);
  });

  it('stop working when they are revoked, and only then', async () => {
    const editor = await test.addMember('editor');
    const api = await as(editor);
    const { id, token } = await api.tokens.create({ kind: 'agent', label: 'lab' });
    expect(await identifyAgent(test.hub, token)).toEqual({ tokenId: id });
    expect(await identifyAgent(test.hub, `${token}x`)).toBeNull();
    await api.tokens.revoke({ id });
    expect(await identifyAgent(test.hub, token)).toBeNull();
    await expect(api.tokens.revoke({ id })).rejects.toThrow(/revoked already/);
  });

  it("are seen by their maker and the owner; agents' by every editor", async () => {
    const [a, b] = [await test.addMember('editor'), await test.addMember('editor')];
    const mine = await (await as(a)).tokens.create({ kind: 'program', label: 'mine', role: 'viewer' });
    const agent = await (await as(a)).tokens.create({ kind: 'agent', label: 'ours' });
    const idsFor = async (who: TestMember) => (await (await as(who)).tokens.list()).map(({ id }) => id);
    expect(await idsFor(b)).toContain(agent.id);
    expect(await idsFor(b)).not.toContain(mine.id);
    expect(await idsFor(owner)).toContain(mine.id);
    await expect((await as(b)).tokens.revoke({ id: mine.id })).rejects.toThrow(/no such token/);
    await (await as(owner)).tokens.revoke({ id: mine.id });
  });

  it('cannot make further tokens', async () => {
    const editor = await test.addMember('editor');
    const { token } = await (await as(editor)).tokens.create({ kind: 'program', label: 'p', role: 'editor' });
    const program = await as({ token });
    await expect(program.tokens.create({ kind: 'agent', label: 'x' })).rejects.toThrow('A program cannot make tokens.');
  });
});

describe('the own account', () => {
  it('may take an address that is free', async () => {
    const [a, b] = [await test.addMember('viewer'), await test.addMember('viewer')];
    const member = (await identifyMember(test.hub, { cookie: a.cookie }, false)).member as Member;
    const api = createCaller({ ...test.hub, member });
    const password = 'a long password';
    await expect(api.me.setPassword({ password, email: b.email })).rejects.toThrow(/already/);
    expect((await api.me.get()).hasPassword).toBe(false);
    await api.me.setPassword({ password, email: 'New@Example.org' });
    expect((await test.hub.db.user.findUniqueOrThrow({ where: { id: a.id } })).email).toBe('new@example.org');
  });
});
