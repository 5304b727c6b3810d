/** Whoever started the hub may close its terminal or pipe: the hub goes on, and does not spin on what it cannot say. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDataDir, removeDataDir, startHubProcess, until } from '../support/hub-process.ts';

const dataDir = makeDataDir();
afterAll(() => removeDataDir(dataDir));

/** Processor time so far, in ticks of 1/100 s. */
const ticksOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

it('serves on quietly with its output closed', async () => {
  const hub = await startHubProcess(dataDir);
  const { pid } = hub.process;
  const lock = path.join(dataDir, 'agent', 'agent.lock');
  const agentOf = () => (existsSync(lock) ? (JSON.parse(readFileSync(lock, 'utf8')).pid as number) : null);
  const agent = await until('the agent', async () => agentOf());
  hub.process.stdout!.destroy();
  hub.process.stderr!.destroy();
  // Things to say: the local agent has ended, and then the database, in the middle of whatever uses it.
  process.kill(agent, 'SIGKILL');
  const postmaster = Number(
    readFileSync(path.join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0],
  );
  process.kill(postmaster, 'SIGKILL');
  await until('another agent', async () => (agentOf() ?? agent) !== agent, 60_000);

  const before = ticksOf(pid!);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(ticksOf(pid!) - before).toBeLessThan(100);
  expect((await fetch(`${hub.url}/api/health`)).status).toBe(200);
  expect((await hub.end('SIGTERM')).code).toBe(0);
});
