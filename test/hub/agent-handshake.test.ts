import { AGENT_NAMESPACE, FATAL_REFUSALS } from '@mealtable/protocol/agent-messages';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { revokeToken } from '../../server/auth/tokens.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { closeSockets, connectAgent, connectSocket } from '../support/scripted-agent.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterEach(closeSockets);
afterAll(() => hub.close());

describe('P4: an agent is refused', () => {
  test.each([
    ['bad_token', { token: 'mt_agent_wrong' }, null],
    [
      'agent_too_old',
      { protocolVersion: OLDEST_PROTOCOL_VERSION - 1 },
      /protocol 0, this hub 1 to 2: update Mealtable on this machine .*npm run agent/,
    ],
    [
      'hub_too_old',
      { protocolVersion: PROTOCOL_VERSION + 1 },
      /protocol 3, this hub 1 to 2: update the hub .*npm start/,
    ],
  ] as const)('for good with %s, and told what to do', async (refusal, auth, sentence) => {
    const error: Error & { data?: unknown } = await connectAgent(hub, auth).then(
      () => expect.fail('It got in.'),
      (reason) => reason,
    );
    expect(error.message).toBe(refusal);
    expect(FATAL_REFUSALS).toHaveProperty(refusal);
    if (sentence !== null) expect(error.data).toEqual({ sentence: expect.stringMatching(sentence) });
  });

  test('with the path of what cannot be read, which is not for good', async () => {
    await expect(connectAgent(hub, { hostId: '../x' })).rejects.toThrow(/auth\.hostId: Not a host id/);
    await expect(connectAgent(hub, { protocolVersion: 'one' as never })).rejects.toThrow(/auth\.protocolVersion/);
  });

  test('without a token, and with a token for programs', async () => {
    const url = `${hub.url}${AGENT_NAMESPACE}`;
    await expect(connectSocket(url, {})).rejects.toThrow('bad_token');
    const { id } = await hub.addMember('editor');
    const { token } = await hub.addToken({ kind: 'program', label: 'x', role: 'editor' }, id);
    await expect(connectAgent(hub, { token })).rejects.toThrow('bad_token');
  });
});

test('an agent whose token is revoked is cut off, and refused when it comes back', async () => {
  const owner = await hub.addMember('owner');
  const { id, token } = await hub.addToken({ kind: 'agent', label: 'x' }, null);
  const agent = await connectAgent(hub, { token });
  const gone = new Promise((resolve) => agent.socket.once('disconnect', resolve));
  const member = { ...owner, name: '', role: 'owner' as const, via: 'session' as const, credentialId: '' };
  await revokeToken(hub.hub, member, id);
  await gone;
  await expect(connectAgent(hub, { token, hostId: agent.hostId })).rejects.toThrow('bad_token');
});

test('what goes wrong while the token is looked up is told to the hub’s operator, not to whoever asks', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  await hub.hub.pool.query('ALTER TABLE tokens RENAME TO tokens_away');
  try {
    const refused = await connectSocket(`${hub.url}${AGENT_NAMESPACE}`, { token: 'mt_agent_x' }).catch(
      (error: Error) => error.message,
    );
    expect(refused).toBe('Something went wrong in the hub. Its output has the details.');
    expect(log).toHaveBeenCalledTimes(1);
  } finally {
    await hub.hub.pool.query('ALTER TABLE tokens_away RENAME TO tokens');
    log.mockRestore();
  }
});

describe('P12: a message', () => {
  const quiet = () => vi.spyOn(console, 'error').mockImplementation(() => {});

  test('that cannot be read is answered with the path of its fault, and logged once', async () => {
    const log = quiet();
    const agent = await connectAgent(hub);
    await agent.hello();
    const refused = (path: string) => ({ ok: false, code: 'bad_message', path, message: expect.any(String) });
    const run = `run_${'a'.repeat(22)}`;
    expect(await agent.ask('agent:hello', { report: { name: '' }, attempts: [] })).toEqual(refused('report.name'));
    expect(await agent.ask('run:request', { freeSlots: 0 })).toEqual(refused('freeSlots'));
    expect(await agent.ask('run:request', 'please')).toEqual(refused(''));
    expect(await agent.ask('agent:heartbeat', { attempts: [{ runId: 'x', attempt: 1 }] })).toEqual(
      refused('attempts.0.runId'),
    );
    expect(await agent.ask('run:records', { runId: run, attempt: 2 ** 40, records: [1] })).toEqual(refused('attempt'));
    expect(await agent.ask('run:records', { runId: run, attempt: 1, records: [] })).toEqual(refused('records'));
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  test('without an ack, or none that exists, harms nothing', async () => {
    const agent = await connectAgent(hub);
    agent.socket.emit('agent:hello', null as never, undefined as never);
    (agent.socket as unknown as { emit(...args: unknown[]): void }).emit('no:such', 1);
    expect((await agent.hello()).attempts).toEqual([]);
  });

  test('before the hello is refused: the hub does not know the host yet', async () => {
    const agent = await connectAgent(hub);
    const refusal = { ok: false, code: 'bad_message', path: '', message: 'Say agent:hello first.' };
    expect(await agent.ask('run:request', { freeSlots: 1 })).toEqual(refusal);
    expect(await agent.ask('agent:heartbeat', { attempts: [] })).toEqual(refusal);
  });
});
