/** Batch jobs on a real Slurm: what is submitted, what becomes of it, and what is told when nobody knows. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { launchToken } from '../../server/launch/launcher.ts';
import { localShell } from '../../server/launch/shell/local-shell.ts';
import { sshShell } from '../../server/launch/shell/ssh-shell.ts';
import { startSlurm } from '../support/slurm.ts';
import { startSshd } from '../support/sshd.ts';
import { makeJobPlace, SECRET, specFor, statusOf, untilStatus } from './support/slurm-launcher.ts';

/** Cases that wait for Slurm's own timeouts: `npm run test:launchers`. */
const isLong = process.env.MEALTABLE_LAUNCHERS === '1';
const slurm = await startSlurm();
const sshd = slurm && (await startSshd(slurm.env));

describe.runIf(slurm !== null)('a job', () => {
  const jobs = makeJobPlace(slurm!);
  const launcher = jobs.launcher();
  afterAll(async () => {
    await slurm!.close();
    await sshd?.close();
    jobs.remove();
  });

  it('is submitted exactly as the dry run shows it, with its secret in a file that only the account reads', async () => {
    const asked = jobs.launcher({ gres: 'gpu:1', cpus: 1, timeLimit: '10', extraLines: ['--nice=5'] });
    const dry = await asked.dryRun(specFor('wait'), launchToken('run_dry.1'));
    const job = await jobs.submit(asked, 'run_dry.1', 'wait');
    await untilStatus(launcher, job, {
      state: 'running',
      node: expect.stringMatching(/^n[12]$/),
      exit: null,
      restarts: 0,
    });
    const stored = slurm!.command('scontrol', 'write', 'batch_script', job.handle, '-');
    expect(dry.ok && dry.script.trim()).toBe(stored.replaceAll('\0', '').trim());
    expect(stored).not.toContain(SECRET);
    expect(stored).toMatch(/^exec '\/bin\/sh' '.*program\.sh' --hub 'http/m);
    expect(statSync(path.join(jobs.installation.root, 'jobs/run_dry.1/token')).mode & 0o777).toBe(0o600);
    expect(slurm!.command('scontrol', 'show', 'job', job.handle)).toMatch(
      /Nice=5[\s\S]*TimeLimit=00:10:00|TimeLimit=00:10:00[\s\S]*Nice=5/,
    );
    // Restarts, length of the secret read from the file, the GPU that Slurm gave, and no variable of a profile.
    await expect.poll(() => jobs.said('run_dry.1')).toEqual([`started 0 ${SECRET.length} 0 clean`]);
    expect(await launcher.stop(job, 5_000)).toEqual({ ok: true, hasEnded: true });
    expect(jobs.said('run_dry.1').at(-1)).toBe('term');
  });

  it('ends with its exact code or signal', async () => {
    const ends = await Promise.all(
      [
        ['exit-0', { cause: 'exit', code: 0, signal: null }],
        ['exit-42', { cause: 'exit', code: 42, signal: null }],
        ['kill', { cause: 'exit', code: null, signal: 9 }],
      ].map(async ([deed, exit]) => ({ job: await jobs.submit(launcher, `run_${deed}.1`, deed as string), exit })),
    );
    for (const { job, exit } of ends) await untilStatus(launcher, job, { state: 'ended', exit });
  });

  it('is submitted once, however often it is asked for, and found by its token after the hub forgot its id', async () => {
    const [first, again] = [
      await jobs.submit(launcher, 'run_once.1', 'wait'),
      await jobs.submit(launcher, 'run_once.1', 'wait'),
    ];
    expect(again).toEqual(first);
    const others = await jobs.launcher().list([]);
    expect(others.filter(({ token }) => token === first.token)).toMatchObject([{ handle: first.handle }]);
    expect(await launcher.stop(first, 5_000)).toEqual({ ok: true, hasEnded: true });
  });

  it.runIf(isLong)(
    'is asked for a checkpoint before its time is over, ends as unfinished, and is started again under its token',
    async () => {
      const job = await jobs.submit(launcher, 'run_again.1', 'wait');
      await untilStatus(launcher, job, { state: 'running' });
      await expect.poll(() => jobs.said('run_again.1')).toHaveLength(1);
      expect((await launcher.signal(job, 'USR2')).ok).toBe(true);
      await untilStatus(launcher, job, { state: 'ended', exit: { cause: 'exit', code: 75, signal: null } });
      expect((await launcher.requeue(job)).ok).toBe(true);
      await untilStatus(launcher, job, { state: 'running', handle: job.handle, restarts: 1 });
      await expect
        .poll(() => jobs.said('run_again.1').map((line) => line.slice(0, 9)))
        .toEqual(['started 0', 'usr2', 'started 1']);
      await launcher.stop(job, 5_000);
    },
  );

  it('that waits says why, and is cancelled without having run', async () => {
    const all = jobs.launcher({ gres: 'gpu:2', extraLines: ['--exclusive', '--nodelist=n1'] });
    const [first, second] = [
      await jobs.submit(all, 'run_first.1', 'wait'),
      await jobs.submit(all, 'run_second.1', 'wait'),
    ];
    await untilStatus(all, first, { state: 'running' });
    await untilStatus(all, second, { state: 'waiting', reason: expect.stringMatching(/Resources|Priority|Nodes/) });
    expect(await all.stop(second, 5_000)).toEqual({ ok: true, hasEnded: true });
    expect(await statusOf(all, second)).toMatchObject({ state: 'ended', exit: { cause: 'cancelled' } });
    expect(jobs.said('run_second.1')).toEqual([]);
    await all.stop(first, 5_000);
  });

  it('is refused with Slurm’s own words, and at the launcher’s limit with ours', async () => {
    const report = () => {};
    const refused = await jobs.launcher({ gres: 'gpu:9' }).submit(specFor('wait'), launchToken('run_big.1'), report);
    expect(refused).toMatchObject({ ok: false, fault: { code: 'refused' } });
    expect(!refused.ok && refused.fault.message).toMatch(
      /^Slurm refused the job: sbatch: error: .*configuration is not available/,
    );
    const few = jobs.launcher({}, undefined, 1);
    const only = await jobs.submit(few, 'run_only.1', 'wait');
    expect(await few.submit(specFor('wait'), launchToken('run_next.1'), report)).toEqual({
      ok: false,
      fault: { code: 'at_limit', message: expect.stringMatching(/^1 jobs wait or run, and the launcher's limit is 1/) },
    });
    await few.stop(only, 5_000);
  });

  it('of the same number but another token is left alone', async () => {
    const job = await jobs.submit(launcher, 'run_mine.1', 'wait');
    const stale = { token: launchToken('run_other.1'), handle: job.handle };
    for (const act of [launcher.stop(stale, 1_000), launcher.signal(stale, 'TERM'), launcher.requeue(stale)])
      expect(await act).toMatchObject({ ok: false, fault: { code: 'not_ours' } });
    expect(await statusOf(launcher, job)).toMatchObject({ state: expect.stringMatching(/^(waiting|running)$/) });
    expect(await statusOf(launcher, stale)).toMatchObject({ state: 'unknown', exit: null });
    await launcher.stop(job, 5_000);
  });

  it('is not bent by variables of a profile', async () => {
    const bent = { SBATCH_PARTITION: 'none', SBATCH_JOB_NAME: 'bent', SQUEUE_FORMAT: '%i', SQUEUE_STATES: 'CANCELLED' };
    const shell = localShell({ ...process.env, ...slurm!.env });
    const inProfile = {
      ...shell,
      exec: (line: string, options: object) =>
        shell.exec(
          `export ${Object.entries(bent)
            .map((e) => e.join('='))
            .join(' ')}; ${line}`,
          options,
        ),
    };
    const job = await jobs.submit(jobs.launcher({}, inProfile), 'run_bent.1', 'wait');
    await untilStatus(jobs.launcher({}, inProfile), job, { state: 'running' });
    await launcher.stop(job, 5_000);
  });

  it.runIf(isLong)(
    'is unknown, never failed, while the controller is away, and known again when it is back',
    async () => {
      const job = await jobs.submit(launcher, 'run_away.1', 'wait');
      await untilStatus(launcher, job, { state: 'running' });
      await expect.poll(() => slurm!.hasSaved(job.token), { timeout: 45_000 }).toBe(true);
      slurm!.killController();
      expect(await statusOf(launcher, job)).toMatchObject({
        state: 'unknown',
        exit: null,
        reason: expect.stringContaining('controller cannot be asked'),
      });
      expect(await launcher.stop(job, 1_000)).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
      await slurm!.startController();
      await untilStatus(launcher, job, { state: 'running', handle: job.handle });
      expect(jobs.said('run_away.1')).toHaveLength(1);
      await launcher.stop(job, 5_000);
    },
    90_000,
  );

  it.runIf(sshd !== null)('goes the same way over ssh, through a connection that breaks', async () => {
    const far = jobs.launcher({}, sshShell(sshd!.settings, process.env));
    const job = await jobs.submit(far, 'run_far.1', 'wait');
    await untilStatus(far, job, { state: 'running' });
    sshd!.cutConnections();
    await untilStatus(far, job, { state: 'running' });
    expect(await far.stop(job, 5_000)).toEqual({ ok: true, hasEnded: true });
    expect(readFileSync(path.join(jobs.installation.root, 'jobs/run_far.1/token'), 'utf8')).toBe(`${SECRET}\n`);
    await far.close();
  });
});
