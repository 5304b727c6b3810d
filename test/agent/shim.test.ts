/** Who owns a trainer: its exact end is known whoever was killed meanwhile, and nothing of it stays behind. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { identifyProcess } from '../../trainer/agent/process-identity.ts';
import { Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { makeGrant } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { type StoredAttempt, TestHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

let programs: Programs;
let hub: TestHub;
let host: Host;
beforeAll(async () => {
  programs = await buildPrograms();
});
afterAll(() => programs.remove());
beforeEach(async () => {
  hub = new TestHub();
  await hub.start();
  host = new Host(programs, hub);
});
afterEach(async () => {
  await host.close();
  await waitUntil('no connection is left', () => hub.connections === 0);
  await hub.kill();
});

const drained = (attempt: StoredAttempt) =>
  waitUntil('the attempt is drained and deleted', () => attempt.ended && host.attemptDirs.length === 0, 20_000);
const isGone = (pid: number) => waitUntil(`${pid} is gone`, () => identifyProcess(pid) === null);

/** A trainer that holds at step 5, and the agent that started it. */
async function hold(more: Partial<FakeScript> = {}) {
  const agent = host.start();
  const grant = makeGrant({ steps: 10, holdAt: 5, end: 'succeed', ...more });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await waitUntil('it holds', () => attempt.steps.length === 5, 20_000);
  return { agent, grant, attempt, pid: await host.trainerPid(grant), shimPid: await host.shimPid(grant) };
}
const daemonOf = (ref: AttemptRef): { pid: number; term: boolean } =>
  JSON.parse(readFileSync(join(host.attemptDir(ref), 'daemon.json'), 'utf8'));

describe.runIf(process.platform === 'linux')('P1: a trainer', () => {
  test('that ends while no agent runs is known to the next one by its exact exit code', async () => {
    const { agent, grant, attempt, pid, shimPid } = await hold({ end: 'exit-7' });
    await agent.kill('SIGKILL');
    host.release(grant);
    await Promise.all([isGone(pid), isGone(shimPid)]);
    host.start();
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ failureCode: 'trainer_error', exitCode: 7, signal: null });
    expect(attempt.steps.length).toBe(10);
  });

  test.for(['SIGSEGV', 'SIGKILL'] as const)(
    'that %s ends while no agent runs is known by that signal',
    async (signal) => {
      const { agent, attempt, pid, shimPid } = await hold();
      await agent.kill('SIGKILL');
      process.kill(pid, signal);
      await Promise.all([isGone(pid), isGone(shimPid)]);
      host.start();
      await drained(attempt);
      expect(attempt.ended).toMatchObject({ failureCode: 'trainer_killed', exitCode: null, signal });
    },
  );

  test('is adopted with its shim, and how it ends is seen', async () => {
    const { agent, grant, attempt } = await hold({ end: 'exit-7' });
    await agent.kill('SIGKILL');
    const second = host.start();
    await waitUntil('it is adopted', () => second.output.includes('found its trainer at work'));
    host.release(grant);
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ failureCode: 'trainer_error', exitCode: 7 });
  });

  test('goes on when its shim is killed, and ends by its own word', async () => {
    const { grant, attempt, shimPid } = await hold();
    process.kill(shimPid, 'SIGKILL');
    await isGone(shimPid);
    host.release(grant);
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
  });

  test('that is killed with its shim and its agent ends with a sentence that says no more than is known', async () => {
    const { agent, attempt, pid, shimPid } = await hold();
    await agent.kill('SIGKILL');
    for (const victim of [shimPid, pid]) process.kill(victim, 'SIGKILL');
    await Promise.all([isGone(pid), isGone(shimPid)]);
    host.start();
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ failureCode: 'trainer_killed', exitCode: null, signal: null });
    expect(attempt.ended?.message).toContain('while no agent was running');
  });

  test('takes its daemons with it, although nobody but its shim was there', async () => {
    const { agent, grant, pid, shimPid } = await hold({ startsDaemon: true });
    const daemon = daemonOf(grant);
    await agent.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await Promise.all([isGone(daemon.pid), isGone(shimPid)]);
  });

  test('whose shim was killed takes them with it when an agent sees it end', async () => {
    const { grant, attempt, shimPid } = await hold({ startsDaemon: true });
    const daemon = daemonOf(grant);
    process.kill(shimPid, 'SIGKILL');
    await isGone(shimPid);
    host.release(grant);
    await drained(attempt);
    expect(identifyProcess(daemon.pid)).toBeNull();
  });

  test('alone is asked to stop: its helpers hear nothing until it is gone', async () => {
    // Long enough for a look at the helper before it is over.
    hub.tunables.stopGraceMs = 3_000;
    const { grant, attempt } = await hold({ startsDaemon: true, ignoresTerm: true });
    const daemon = daemonOf(grant);
    attempt.stop = 'cancelled';
    hub.nudge();
    await waitUntil('the stop has begun', () => existsSync(join(host.attemptDir(grant), 'cancel')));
    expect(daemonOf(grant).term).toBe(false);
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ outcome: 'cancelled', signal: 'SIGKILL' });
    expect(identifyProcess(daemon.pid)).toBeNull();
  });

  test('of before a restart of the machine is not looked for: the attempt ends as host_lost', async () => {
    const { agent, grant, attempt, pid, shimPid } = await hold();
    await agent.kill('SIGKILL');
    const note = await host.trainerNote(grant);
    for (const process of [note.process, note.shim])
      process.startedAt = process.startedAt.replace(/^[^:]+/, crypto.randomUUID());
    for (const victim of [shimPid, pid]) process.kill(victim, 'SIGKILL');
    await Promise.all([isGone(pid), isGone(shimPid)]);
    writeFileSync(join(host.attemptDir(grant), 'trainer.json'), JSON.stringify(note));
    host.start();
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'host_lost', signal: null });
    expect(attempt.ended?.message).toContain('restarted');
  });

  test('is the agent’s own child where there is no perl, which is said', async () => {
    const bin = join(host.dir, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    const agent = host.start([], { PATH: bin });
    const grant = makeGrant({ steps: 3, startsDaemon: true, end: 'exit-7' });
    hub.enqueue(grant);
    const attempt = hub.attemptOf(grant);
    await drained(attempt);
    expect(attempt.ended).toMatchObject({ failureCode: 'trainer_error', exitCode: 7 });
    expect(agent.output).toContain('has no perl');
  });
});

const GROUPS = '/sys/fs/cgroup/memory';
/** Version 1 of control groups, and leave to make one. */
function canLimitMemory(): boolean {
  const probe = join(GROUPS, `mealtable-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return existsSync(join(GROUPS, 'memory.limit_in_bytes'));
  } catch {
    return false;
  }
}

test.runIf(canLimitMemory())('a kill for lack of memory is told from any other', async () => {
  const group = join(GROUPS, `mealtable-${process.pid}`);
  mkdirSync(group);
  try {
    // The second one exists where swap is counted, and must not be below the first.
    for (const limit of ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'])
      if (existsSync(join(group, limit))) writeFileSync(join(group, limit), '60000000');
    const dir = join(host.dir, 'attempt');
    mkdirSync(dir);
    const shim = join(import.meta.dirname, '../../trainer/agent/trainer-shim.pl');
    const run = (program: string) => {
      const script = `echo $$ > ${group}/cgroup.procs && exec perl ${shim} ${dir} 0 perl -e '${program}' 3>/dev/null`;
      execFileSync('sh', ['-c', script]);
      return JSON.parse(readFileSync(join(dir, 'trainer-exit.json'), 'utf8'));
    };
    expect(run('kill 9, $$')).toEqual({ exitCode: null, signal: 9, memory: 'none' });
    expect(run('push @a, "x" x 1e6 for 1 .. 200')).toEqual({ exitCode: null, signal: 9, memory: 'group' });
  } finally {
    await waitUntil('the group is empty', () => readFileSync(join(group, 'cgroup.procs'), 'utf8') === '');
    rmdirSync(group);
  }
});
