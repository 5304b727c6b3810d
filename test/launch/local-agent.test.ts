/** The agent that comes with the hub: started, found again, replaced, ended. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findAgent } from '../../server/launch/agent-process.ts';
import { type LocalAgent, startLocalAgent } from '../../server/launch/local.ts';
import { buildPrograms, type Programs } from '../agent/support/programs.ts';
import { waitUntil } from '../agent/support/wait-until.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

let programs: Programs;
let hub: TestHub;
let agent: LocalAgent;
let said: string[];
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
  // The agent looks for its trainer beside itself; nothing is trained here.
  writeFileSync(path.join(path.dirname(programs.agent), 'trainer.js'), '');
});
afterAll(async () => {
  await hub.close();
  programs.remove();
});

const stateDir = () => path.join(hub.dataDir, 'agent');
const start = (hubUrl = hub.url, watchMs?: number) =>
  startLocalAgent(hub.hub, { hubUrl, program: programs.agent, watchMs, log: (line) => said.push(line) });
const pidOf = () => waitUntil('an agent has the lock', async () => findAgent(stateDir()));
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const isAttached = async () => (await hub.hub.db.host.count({ where: { detachedAt: null } })) === 1;

beforeEach(async () => {
  said = [];
  agent = await start();
});
afterEach(() => agent.stop());

describe('the local agent', () => {
  it('attaches this machine, and says goodbye when the hub ends it', async () => {
    await waitUntil('the host is there', isAttached);
    const pid = await pidOf();
    await agent.stop();
    expect(findAgent(stateDir())).toBeNull();
    await waitUntil('the process is gone', () => !isRunning(pid));
    await waitUntil('the goodbye is noted', async () => !(await isAttached()));
    expect(said).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('does not get the database’s password', async () => {
    await agent.stop();
    process.env.DATABASE_URL = 'postgresql://user:secret@db/mealtable';
    try {
      agent = await start();
      const environment = readFileSync(`/proc/${await pidOf()}/environ`, 'utf8').split('\0');
      expect(environment.filter((entry) => entry.startsWith('DATABASE_URL='))).toEqual([]);
      expect(environment.some((entry) => entry.startsWith('PATH='))).toBe(true);
    } finally {
      delete process.env.DATABASE_URL;
    }
  });

  it('is found again by the next hub, with the same token', async () => {
    const pid = await pidOf();
    const token = readFileSync(path.join(stateDir(), 'token'), 'utf8');
    const again = await start();
    expect(findAgent(stateDir())).toBe(pid);
    expect(readFileSync(path.join(stateDir(), 'token'), 'utf8')).toBe(token);
    expect(await hub.hub.db.token.count({ where: { label: 'Local agent' } })).toBe(1);
    await again.stop();
  });

  it('is replaced when it knows the hub under another address', async () => {
    const pid = await pidOf();
    agent = await start(hub.url.replace('127.0.0.1', 'localhost'));
    expect(await waitUntil('a new agent has the lock', async () => findAgent(stateDir()))).not.toBe(pid);
  });

  it('ends also in the moment before it has its lock', async () => {
    await agent.stop();
    agent = await start();
    await agent.stop();
    expect(findAgent(stateDir())).toBeNull();
  });

  it('is started again when it dies', async () => {
    await agent.stop();
    agent = await start(hub.url, 200);
    const pid = await pidOf();
    process.kill(pid, 'SIGKILL');
    await waitUntil('another agent has the lock', async () => {
      const now = findAgent(stateDir());
      return now !== null && now !== pid;
    });
    expect(said[0]).toMatch(/^The local agent has ended; .*agent\.log says why\. It is started again\.$/);
  });

  it('gets a new token when its own was revoked', async () => {
    await agent.stop();
    await hub.hub.db.token.updateMany({ data: { revokedAt: new Date() } });
    agent = await start();
    await waitUntil('the new token was used', () =>
      hub.hub.db.token.findFirst({ where: { revokedAt: null, lastUsedAt: { not: null } } }),
    );
  });

  it('is not mistaken for a stranger who has its process number', async () => {
    await agent.stop();
    writeFileSync(path.join(stateDir(), 'agent.lock'), JSON.stringify({ pid: process.pid, startedAt: 'x' }));
    expect(findAgent(stateDir())).toBeNull();
    agent = await start();
    expect(await pidOf()).not.toBe(process.pid);
  });
});
