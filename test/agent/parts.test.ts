/** Flags, machine, processes, and the judgement of an exit. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptRecord } from '@mealtable/protocol/records';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AttemptDir, listAttemptDirs, type MemoryKill } from '../../trainer/agent/attempt-dir.ts';
import { DatasetWatch } from '../../trainer/agent/dataset-watch.ts';
import { findDatasets } from '../../trainer/agent/datasets.ts';
import { parseAgentEnv } from '../../trainer/agent/env.ts';
import { AGENT_EXIT, AgentExit } from '../../trainer/agent/exit-codes.ts';
import { listGpus, parseGpus } from '../../trainer/agent/gpus.ts';
import { loadHostId } from '../../trainer/agent/host-id.ts';
import { makeSlots } from '../../trainer/agent/host-report.ts';
import { judgeExit } from '../../trainer/agent/judge-exit.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { takeLock } from '../../trainer/agent/lock.ts';
import { readLastLines } from '../../trainer/agent/output-tail.ts';
import { findByCommand, identifyProcess, isFromEarlierBoot, isRunning } from '../../trainer/agent/process-identity.ts';
import { makeBackoff } from '../../trainer/agent/retry.ts';
import { writeEnd } from '../../trainer/agent/write-end.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { makeGrant } from './support/make-grant.ts';
import { waitUntil } from './support/wait-until.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agent-parts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function exitOf(run: () => unknown): AgentExit {
  try {
    run();
  } catch (error) {
    if (error instanceof AgentExit) return error;
    throw error;
  }
  throw new Error('It did not end.');
}

describe('flags', () => {
  const good = () => ['--hub', 'http://hub:3000/x', '--token', 't', '--trainer', join(dir, 'trainer.js')];
  beforeEach(() => {
    writeFileSync(join(dir, 'trainer.js'), '');
    mkdirSync(join(dir, 'cats'));
  });

  test('are read once, with defaults', () => {
    expect(parseAgentEnv(good(), {}, dir)).toMatchObject({
      hub: 'http://hub:3000',
      token: 't',
      slots: null,
      orphanExitMs: null,
      oneRun: null,
    });
    expect(parseAgentEnv(good().slice(0, 2), { MEALTABLE_TOKEN: 'v' }, dir)).toMatchObject({ token: 'v' });
    expect(parseAgentEnv([], { MEALTABLE_TOKEN: 'v', MEALTABLE_HUB: 'https://h' }, dir)?.hub).toBe('https://h');
    writeFileSync(join(dir, 'token'), 'from file\n');
    const file = ['--hub', 'http://h', '--token-file', join(dir, 'token')];
    expect(parseAgentEnv(file, { MEALTABLE_TOKEN: 'v' }, dir)?.token).toBe('from file');
    const env = parseAgentEnv([...good(), '--dataset', `cats=${dir}/cats`, '--slots', '3'], {}, dir)!;
    expect([...env.datasets]).toEqual([['cats', join(dir, 'cats')]]);
    expect(env.slots).toBe(3);
    expect(env.weightsDir).toBeNull();
    expect(parseAgentEnv([...good(), '--weights-dir', `${dir}/cats`], {}, dir)?.weightsDir).toBe(join(dir, 'cats'));
    expect(parseAgentEnv(['--help'], {}, dir)).toBeNull();
  });

  test.for<[string[], RegExp]>([
    [['--hub', 'ftp://x'], /--hub must be an address .*"ftp:\/\/x"/],
    [['--hub', 'nonsense'], /--hub must be an address/],
    [['--slots', '0'], /--slots must be a whole number from 1 to 64; it is "0"/],
    [['--slots', '2.5'], /--slots/],
    [['--orphan-exit-ms', 'soon'], /--orphan-exit-ms/],
    [['--name', ' '], /--name/],
    [['--dataset', 'cats'], /--dataset must be NAME=PATH/],
    [['--dataset', 'Cats=.'], /--dataset Cats=\.: A dataset name is/],
    [['--dataset', 'cats=/nowhere/at/all'], /there is no folder \/nowhere\/at\/all/],
    [['--dataset', 'a=.', '--dataset', 'a=.'], /given twice/],
    [['--datasets-dir', '/nowhere'], /--datasets-dir: there is no folder/],
    [['--weights-dir', '/nowhere'], /--weights-dir: there is no folder/],
    [['--token-file', '/nowhere'], /not both/],
    [['--trainer', '/nowhere.js'], /no trainer program at \/nowhere\.js/],
    [['--slotz', '1'], /'--slotz'.*--help/],
    [['stray'], /'stray'/],
  ])('%j is refused in one sentence', ([flags, sentence]) => {
    const exit = exitOf(() => parseAgentEnv([...good(), ...flags], {}, dir));
    expect(exit.exitCode).toBe(AGENT_EXIT.badFlags);
    expect(exit.message).toMatch(sentence);
    expect(exit.message).not.toContain('\n');
  });

  test('what is missing is asked for', () => {
    expect(exitOf(() => parseAgentEnv([], {}, dir)).message).toMatch(/--hub http/);
    expect(exitOf(() => parseAgentEnv(['--hub', 'http://h'], {}, dir)).message).toMatch(/agent token/);
    writeFileSync(join(dir, 'token'), '\n');
    const empty = ['--hub', 'http://h', '--token-file', join(dir, 'token')];
    expect(exitOf(() => parseAgentEnv(empty, {}, dir)).message).toMatch(/is empty/);
  });
});

describe('machine', () => {
  const CSV =
    '0, GPU-aaa, NVIDIA H100 80GB HBM3, 81559, 570.86.15\n1, GPU-bbb, NVIDIA GB10, [N/A], [N/A]\nNo devices were found\n';

  test('GPUs are read from nvidia-smi, and an inherited choice is kept', async () => {
    expect(parseGpus(CSV)).toEqual([
      { index: 0, uuid: 'GPU-aaa', name: 'NVIDIA H100 80GB HBM3', memoryBytes: 81559 * 2 ** 20, driver: '570.86.15' },
      { index: 1, uuid: 'GPU-bbb', name: 'NVIDIA GB10', memoryBytes: 0, driver: null },
    ]);
    const pick = async (visible: string) => (await listGpus(visible, async () => CSV)).map((g) => g.uuid);
    expect(await pick('1')).toEqual(['GPU-bbb']);
    expect(await pick('1,0')).toEqual(['GPU-bbb', 'GPU-aaa']);
    expect(await pick('GPU-a')).toEqual(['GPU-aaa']);
    expect(await pick('MIG-123')).toEqual(['MIG-123']);
    expect(await pick('')).toEqual([]);
    expect(await listGpus(undefined, async () => '')).toEqual([]);
  });

  test('slots share cores evenly and GPUs in turn', () => {
    const gpus = parseGpus(CSV);
    expect(makeSlots(3, 8, gpus).map((s) => [s.device, s.threads])).toEqual([
      ['GPU-aaa', 2],
      ['GPU-bbb', 2],
      ['GPU-aaa', 2],
    ]);
    expect(makeSlots(4, 2, [])[3]).toEqual({ index: 3, device: null, threads: 1 });
  });

  test('datasets: given ones win, every subfolder counts, and what cannot be used says why', async () => {
    mkdirSync(join(dir, 'all', 'cats'), { recursive: true });
    mkdirSync(join(dir, 'all', 'Bad Name'));
    mkdirSync(join(dir, 'all', '.hidden'));
    const datasets = findDatasets(new Map([['cats', join(dir, 'mine')]]), join(dir, 'all'), import.meta.dirname);
    expect(datasets.get('cats')).toBe(join(dir, 'mine'));
    expect(datasets.get('digits')).toMatch(/trainer\/datasets\/digits$/);
    datasets.delete('digits');
    const watch = new DatasetWatch({ find: () => datasets, cacheFolder: null, checkImages: async () => [] });
    await watch.refresh(10_000);
    const { reports } = watch;
    expect(reports.map((r) => r.name)).toEqual(['Bad Name', 'cats']);
    expect(reports[0]?.problems[0]).toMatch(/^Rename the folder/);
    expect(reports[1]?.problems.length).toBeGreaterThan(0);
  });

  test('the host id is made once; a damaged one is not replaced in silence', () => {
    const id = loadHostId(dir, 1_700_000_000_000);
    expect(loadHostId(dir, 2_000_000_000_000)).toBe(id);
    writeFileSync(join(dir, 'host-id'), 'garbage');
    expect(exitOf(() => loadHostId(dir, 0)).message).toContain('does not hold a host id');
  });
});

describe('processes', () => {
  test('a number that passed to another process, a zombie and a dead one are not the same process', async () => {
    const me = identifyProcess(process.pid)!;
    expect(isRunning(me)).toBe(true);
    expect(isRunning({ ...me, startedAt: `${me.startedAt}0` })).toBe(false);
    expect(isFromEarlierBoot(me)).toBe(false);
    const before = { ...me, startedAt: me.startedAt.replace(/^[^:]+/, crypto.randomUUID()) };
    expect([isRunning(before), isFromEarlierBoot(before)]).toEqual([false, process.platform === 'linux']);
    const child = spawn('sleep', ['60']);
    const identity = identifyProcess(child.pid!)!;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(isRunning(identity)).toBe(false);
  });

  test.runIf(process.platform === 'linux')('a trainer is found by its folder', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', dir]);
    const find = () => findByCommand((words) => words.includes(dir));
    expect(find()?.pid).toBe(child.pid);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(find()).toBeNull();
  });

  test('a lock is given back, taken over from the dead, and respected while its owner lives', () => {
    takeLock(dir)();
    writeFileSync(join(dir, 'agent.lock'), JSON.stringify({ pid: process.pid, startedAt: 'another boot' }));
    const unlock = takeLock(dir);
    expect(exitOf(() => takeLock(dir)).exitCode).toBe(AGENT_EXIT.locked);
    unlock();
    writeFileSync(join(dir, 'agent.lock'), 'half a lo');
    takeLock(dir)();
  });

  test('the last lines of an output are its last lines', () => {
    expect(readLastLines(join(dir, 'none'), 3)).toEqual([]);
    writeFileSync(join(dir, 'output'), `${'long line\n'.repeat(60_000)}\n\nlast but one\r\nlast`);
    expect(readLastLines(join(dir, 'output'), 3)).toEqual(['long line', 'last but one', 'last']);
  });

  test('waits grow up to the limit and begin anew', () => {
    const backoff = makeBackoff({ retryFirstMs: 100, retryMaxMs: 300 }, () => 0.5);
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([75, 150, 225, 225]);
    backoff.reset();
    expect(backoff.next()).toBe(75);
  });
});

describe('attempt folders', () => {
  test('are found again; a cut-short grant and a half deleted folder are cleared away', () => {
    const grant = makeGrant({ steps: 1, end: 'succeed' });
    const attempt = new AttemptDir(dir, grant);
    attempt.create(grant);
    const cutShort = new AttemptDir(dir, makeGrant({ steps: 1, end: 'succeed' }));
    mkdirSync(cutShort.path);
    mkdirSync(join(dir, '.deleted-x'));
    mkdirSync(join(dir, 'somebody else'));
    const found = listAttemptDirs(dir);
    expect(found.map((d) => d.ref)).toEqual([{ runId: grant.runId, attempt: 1 }]);
    expect(found[0]?.readGrant()).toEqual(grant);
    expect(() => readFileSync(cutShort.path)).toThrow('ENOENT');
    expect(() => readFileSync(join(dir, '.deleted-x'))).toThrow('ENOENT');
    expect(() => readFileSync(join(dir, 'somebody else'))).toThrow('EISDIR');
    attempt.remove();
    expect(listAttemptDirs(dir)).toEqual([]);
  });
});

describe('the last words', () => {
  const verdict = {
    outcome: 'failed',
    failureCode: 'trainer_error',
    message: 'm'.repeat(3000),
    exitCode: 1,
    signal: null,
  } as const;
  const limits = { ...agentLimits, retryFirstMs: 2, retryMaxMs: 2 };

  test('wait for a disk that takes them, and are written once', async () => {
    const attempt = new AttemptDir(dir, makeGrant({ steps: 1, end: 'succeed' }));
    mkdirSync(attempt.records, { recursive: true });
    writeFileSync(attempt.output('stderr'), 'two\n');
    writeFileSync(attempt.output('stdout'), 'one\n');
    const log: string[] = [];
    const context = { limits, log: (line: string) => log.push(line) };
    const writing = writeEnd(attempt, verdict, false, context, new AbortController().signal);
    await waitUntil('it was told', () => log.length > 1);
    rmSync(attempt.records, { recursive: true });
    expect(await writing).toEqual({ firstSeq: 1, lastSeq: 3 });
    const { records } = readRecords(attempt.records, 0);
    expect(records.map((r) => (r.kind === 'log' ? r.line : r.kind))).toEqual(['one', 'two', 'ended']);
    for (const record of records) AttemptRecord.parse(record);
  });

  test('are the ending alone where the hub takes the output itself', async () => {
    const attempt = new AttemptDir(dir, makeGrant({ steps: 1, end: 'succeed' }));
    mkdirSync(attempt.path);
    writeFileSync(attempt.output('stderr'), 'two\n');
    await writeEnd(attempt, verdict, true, { limits, log: () => {} }, new AbortController().signal);
    expect(readRecords(attempt.records, 0).records.map((r) => r.kind)).toEqual(['ended']);
  });

  test('are not written when the agent leaves first', async () => {
    const attempt = new AttemptDir(dir, makeGrant({ steps: 1, end: 'succeed' }));
    mkdirSync(attempt.path);
    expect(await writeEnd(attempt, verdict, false, { limits, log: () => {} }, AbortSignal.abort())).toBeNull();
    expect(readRecords(attempt.records, 0).records).toEqual([]);
  });
});

describe('judging an exit', () => {
  const seen = (exitCode: number | null, signal: string | null = null, memory: MemoryKill | null = null) =>
    ({ seen: true, exitCode, signal, memory }) as const;
  const unseen = (exitCode: number | null, rebooted = false) => ({ seen: false, exitCode, rebooted }) as const;
  const failure = { failureCode: 'diverged', message: 'NaN' } as const;
  const none = { stop: null, failure: null };

  test.for<[string, Parameters<typeof judgeExit>[0], string, string | null]>([
    ['done', { exit: seen(0), ...none }, 'succeeded', null],
    ['done, cancel too late', { exit: seen(0), stop: { kind: 'cancelled' }, failure: null }, 'succeeded', null],
    ['interrupted', { exit: seen(75), ...none }, 'interrupted', null],
    ['cancelled', { exit: seen(75), stop: { kind: 'cancelled' }, failure: null }, 'cancelled', null],
    [
      'cancelled the hard way',
      { exit: seen(null, 'SIGKILL'), stop: { kind: 'cancelled' }, failure: null },
      'cancelled',
      null,
    ],
    ['failed with a word', { exit: seen(1), stop: null, failure }, 'failed', 'diverged'],
    ['failed without a word', { exit: seen(1), ...none }, 'failed', 'trainer_error'],
    ['killed', { exit: seen(null, 'SIGSEGV'), ...none }, 'failed', 'trainer_killed'],
    ['stalled', { exit: seen(75), stop: { kind: 'stalled', afterMs: 9 }, failure: null }, 'failed', 'stalled'],
    ['shut down in time', { exit: seen(75), stop: { kind: 'shutdown' }, failure: null }, 'interrupted', null],
    [
      'shut down too slowly',
      { exit: seen(null, 'SIGKILL'), stop: { kind: 'shutdown' }, failure: null },
      'interrupted',
      null,
    ],
    ['failed while shutting down', { exit: seen(1), stop: { kind: 'shutdown' }, failure }, 'failed', 'diverged'],
    ['unseen, done', { exit: unseen(0), ...none }, 'succeeded', null],
    ['unseen, interrupted', { exit: unseen(75), ...none }, 'interrupted', null],
    ['unseen, failed with a word', { exit: unseen(null), stop: null, failure }, 'failed', 'diverged'],
    ['killed for its memory', { exit: seen(null, 'SIGKILL', 'group'), ...none }, 'failed', 'out_of_memory'],
    ['killed while memory ran out', { exit: seen(null, 'SIGKILL', 'host'), ...none }, 'failed', 'trainer_killed'],
    ['host restarted', { exit: unseen(null, true), ...none }, 'failed', 'host_lost'],
    ['host restarted, done before', { exit: unseen(0, true), ...none }, 'succeeded', null],
    [
      'host restarted in good order',
      { exit: unseen(null, true), stop: { kind: 'shutdown' }, failure: null },
      'interrupted',
      null,
    ],
    [
      'host restarted after a cancel',
      { exit: unseen(null, true), stop: { kind: 'cancelled' }, failure: null },
      'cancelled',
      null,
    ],
    ['unseen, unknown', { exit: unseen(null), ...none }, 'failed', 'trainer_killed'],
  ])('%s', ([, evidence, outcome, failureCode]) => {
    const verdict = judgeExit(evidence);
    expect(verdict).toMatchObject({ outcome, failureCode });
    // A user reads it: every failure has a sentence.
    expect(verdict.message === null).toBe(outcome !== 'failed');
  });

  test('a SIGKILL that nobody here sent is explained by what the kernel says, and no further', () => {
    const sentence = (memory: MemoryKill | null) =>
      judgeExit({ exit: seen(null, 'SIGKILL', memory), ...none }).message ?? '';
    expect(sentence('group')).toContain('its memory ran out');
    expect(sentence('host')).toContain('It looks as if the host ran out of memory');
    expect(sentence('none')).toContain('ended nothing for lack of memory');
    expect(sentence(null)).toContain('is the usual cause');
  });
});
