/** What Slurm itself gets wrong or takes long for. `npm run test:launchers` */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSlurm, type TestSlurm } from '../support/slurm.ts';
import { type JobPlace, makeJobPlace, statusOf, untilStatus } from './support/slurm-launcher.ts';

const isLong = process.env.MEALTABLE_LAUNCHERS === '1';

describe.runIf(isLong)('Slurm', () => {
  let slurm: TestSlurm | null = null;
  let jobs: JobPlace;
  const start = async (config: Record<string, string> = {}) => {
    slurm = await startSlurm(config);
    if (slurm) jobs = makeJobPlace(slurm);
    return slurm;
  };
  beforeEach(() => {
    slurm = null;
  });
  const end = async () => {
    await slurm?.close();
    if (slurm) jobs.remove();
    slurm = null;
  };
  afterEach(end);
  afterAll(end);

  it('starts a job again on another node when its own is silent, while the first program still runs', async (test) => {
    if (!(await start())) return test.skip();
    const launcher = jobs.launcher();
    const job = await jobs.submit(launcher, 'run_split.1', 'wait');
    const { node } = await untilStatus(launcher, job, { state: 'running' });
    await expect.poll(() => jobs.said('run_split.1')).toHaveLength(1);
    slurm!.freezeNode(node as 'n1' | 'n2');
    await untilStatus(
      launcher,
      job,
      { state: 'running', node: node === 'n1' ? 'n2' : 'n1', handle: job.handle, restarts: 1 },
      120_000,
    );
    await expect
      .poll(() => jobs.said('run_split.1').map((line) => line.slice(0, 9)), { timeout: 45_000 })
      .toEqual(['started 0', 'started 1']);
    slurm!.thawNode(node as 'n1' | 'n2');
    expect(await launcher.stop(job, 5_000)).toEqual({ ok: true, hasEnded: true });
  }, 180_000);

  it('gives a number twice after a crash: the lost job is unknown, and the new owner of its number is left alone', async (test) => {
    if (!(await start())) return test.skip();
    const launcher = jobs.launcher();
    const lost = await jobs.submit(launcher, 'run_lost.1', 'wait');
    slurm!.killController();
    slurm!.forgetState();
    await slurm!.startController();
    await expect
      .poll(() => statusOf(launcher, lost), { timeout: 60_000, interval: 500 })
      .toMatchObject({
        state: 'unknown',
        exit: null,
        reason: expect.stringMatching(/^Slurm has no job of the name/),
      });
    const next = await jobs.submit(launcher, 'run_next.1', 'wait');
    expect(next.handle).toBe(lost.handle);
    expect(await launcher.stop(lost, 1_000)).toMatchObject({ ok: false, fault: { code: 'not_ours' } });
    await untilStatus(launcher, next, { state: 'running' }, 60_000);
  }, 180_000);

  it('puts an unfinished job back by itself where the site says so', async (test) => {
    if (!(await start({ RequeueExit: '75' }))) return test.skip();
    const launcher = jobs.launcher();
    const job = await jobs.submit(launcher, 'run_exit.1', 'wait');
    await expect.poll(() => jobs.said('run_exit.1'), { timeout: 45_000 }).toHaveLength(1);
    await launcher.signal(job, 'USR2');
    await untilStatus(launcher, job, { state: 'running', restarts: 1 }, 90_000);
    // Its end by TERM would put it back as well, were it not for the cancel that follows.
    expect(await launcher.stop(job, 5_000)).toEqual({ ok: true, hasEnded: true });
    expect(await statusOf(launcher, job)).toMatchObject({ state: 'ended' });
  }, 180_000);
});
