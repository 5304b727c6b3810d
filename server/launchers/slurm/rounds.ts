/** One launcher of batch jobs at work: what Slurm has is compared with what is wanted, and the difference is acted upon. */

import type { LauncherFaultView } from '@mealtable/protocol/launcher-views';
import { STOP_GRACE_MS } from '@mealtable/protocol/tunables';
import { type Launcher, type LaunchStatus, type LaunchToken, launchToken } from '../../launch/launcher.ts';
import type { LauncherDesk } from '../desk.ts';
import { type LauncherRow, restLauncher } from '../launcher-rows.ts';
import { findEligibleRuns } from './eligible-runs.ts';
import { explainEnd } from './explain-end.ts';
import {
  beginJob,
  closeJob,
  countFruitless,
  forgetJob,
  isFruitless,
  loadOpenJobs,
  nextSubmission,
  noteJob,
  type OpenJob,
} from './job-rows.ts';

export interface RoundLimits {
  /** Wait after a run's first fruitless job; doubled with each further one. */
  backoffMs: number;
  /** Fruitless jobs in a row after which the launcher rests, and how long. */
  restAfter: number;
  restMs: number;
  /** An agent whose run ended or was paused ends by itself within this. */
  leaveMs: number;
  /** A job that Slurm does not know any more, and whose agent is not heard of, is given up after this. */
  lostMs: number;
  /** A job whose submission was not answered is submitted again after this, if Slurm does not have it. */
  resubmitMs: number;
  /** Pause after a fault of the place itself, such as a refused login. */
  faultMs: number;
}
export const ROUND_LIMITS: RoundLimits = {
  backoffMs: 10_000,
  restAfter: 3,
  restMs: 600_000,
  leaveMs: 60_000,
  lostMs: 600_000,
  resubmitMs: 60_000,
  faultMs: 60_000,
};
/** Submitted in one round: others are looked at between. */
const MAX_SUBMITS = 20;
/** Last lines of a job's output that are kept with its end. */
const KEPT_LINES = 20;
/** Faults that are over once Slurm answers. */
const OF_THE_CONNECTION: readonly string[] = ['unreachable', 'not_allowed', 'host_key_unknown', 'host_key_changed'];
/** Of an agent that ended before its run was done; see exit-codes of the agent. */
const UNFINISHED = 75;

export class SlurmRounds {
  readonly #desk: LauncherDesk;
  readonly #limits: RoundLimits;
  /** Stops under way, by token: they take as long as a checkpoint does. */
  readonly #stopping = new Map<string, Promise<void>>();
  #isClosed = false;
  readonly #pausedUntil = new Map<string, number>();
  /** The last round of each launcher. A failure is told by whoever asked for that round. */
  readonly #running = new Map<string, Promise<void>>();
  /** Launchers that have nothing in Slurm: it need not be asked. Jobs may outlive their rows, as when a study is deleted. */
  readonly #quiet = new Set<string>();

  constructor(desk: LauncherDesk, limits: RoundLimits) {
    this.#desk = desk;
    this.#limits = limits;
  }

  /** One after the other: two at once would both act upon what only one of them may. */
  round(row: LauncherRow): Promise<void> {
    const before = this.#running.get(row.id) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.#round(row));
    this.#running.set(row.id, mine);
    return mine;
  }

  async #round(row: LauncherRow): Promise<void> {
    const { settings } = row;
    // Nobody has accepted the host's key: nothing is sent there, and its page says so.
    if (this.#isClosed || settings.kind !== 'slurm' || (settings.ssh && settings.ssh.hostKey === undefined)) return;
    const { pool, now } = this.#desk.hub;
    const open = await loadOpenJobs(pool, row.id);
    const isResting = row.restingUntil !== null && row.restingUntil > now();
    const eligible = isResting ? [] : await this.#findRuns(row, open.length);
    if (open.length === 0 && eligible.length === 0 && this.#quiet.has(row.id)) return;
    const launcher = await this.#desk.open(row);
    const left = await this.#reconcile(row, launcher, open);
    if (left === null) return;
    if (left === 0) this.#quiet.add(row.id);
    for (const runId of eligible) if (this.#isClosed || !(await this.#place(row, launcher, runId))) break;
  }

  /** Begins nothing any more: what is under way is found again by its tokens. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when no stop is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#stopping.values());
  }

  async #findRuns(row: LauncherRow, open: number): Promise<string[]> {
    const { pool, now } = this.#desk.hub;
    if (row.settings.kind !== 'slurm' || (this.#pausedUntil.get(row.id) ?? 0) > now().getTime()) return [];
    const free = Math.min(MAX_SUBMITS, row.settings.maxJobs - open);
    return free <= 0 ? [] : findEligibleRuns(pool, row, free, this.#limits.backoffMs);
  }

  /** @returns how many jobs Slurm has that have not ended; null when it could not be asked */
  async #reconcile(row: LauncherRow, launcher: Launcher, open: OpenJob[]): Promise<number | null> {
    const known = open.map(({ token, jobId }) => ({ token, handle: jobId ?? '' }));
    // Without a job of its own a list cannot tell silence from absence.
    const probe = known.length > 0 ? known : [{ token: launchToken('none'), handle: '' }];
    const statuses = await launcher.list(probe);
    const silent = statuses.find(({ wasAsked }) => !wasAsked);
    if (silent) {
      this.#setFault(row, silent.fault ?? { code: 'unreachable', message: 'Slurm does not answer.' });
      for (const status of statuses) await noteJob(this.#desk.hub, row.id, status);
      return null;
    }
    if (OF_THE_CONNECTION.includes(this.#desk.state(row.id).fault?.code ?? '')) this.#setFault(row, null);
    const byToken = new Map(open.map((job) => [job.token as string, job]));
    for (const status of statuses) {
      if (this.#isClosed) return null;
      const job = byToken.get(status.token);
      if (job) await this.#judge(row, launcher, job, status);
      else if (status.state === 'waiting' || status.state === 'running') await this.#adopt(row, launcher, status);
    }
    return statuses.filter(({ state }) => state === 'waiting' || state === 'running').length;
  }

  async #judge(row: LauncherRow, launcher: Launcher, job: OpenJob, status: LaunchStatus): Promise<void> {
    if (status.state === 'ended') return this.#end(row, launcher, job, status);
    if (status.state === 'unknown') return this.#judgeUnknown(row, launcher, job, status);
    await noteJob(this.#desk.hub, row.id, status);
    if (!job.isWanted && (!job.hasAttached || job.unwantedMs > this.#limits.leaveMs)) this.#stop(row, launcher, status);
  }

  /** Not there although Slurm was asked: not submitted yet, forgotten by it, or lost with its controller's memory. */
  async #judgeUnknown(row: LauncherRow, launcher: Launcher, job: OpenJob, status: LaunchStatus): Promise<void> {
    const { hub } = this.#desk;
    if (job.jobId === null) {
      // sbatch of a hub that was just restarted may still be under way.
      if (job.sameMs < this.#limits.resubmitMs) return;
      if (job.isWanted) await this.#submit(row, launcher, job.runId, job.token);
      else await forgetJob(hub, row.id, job.token);
      return;
    }
    const isOver = !job.isWanted || (job.runIsQueued && job.state === 'unknown' && job.sameMs > this.#limits.lostMs);
    if (!isOver) await noteJob(hub, row.id, status);
    else
      await closeJob(hub, row.id, job.token, {
        exit: null,
        cause: 'untold',
        reason: 'Slurm does not know the job any more.',
        node: null,
      });
  }

  async #end(row: LauncherRow, launcher: Launcher, job: OpenJob, status: LaunchStatus): Promise<void> {
    const { hub, events } = this.#desk;
    const exit = status.exit ?? { cause: 'untold' as const, code: null, signal: null };
    const mayGoOn = exit.cause === 'exit' && exit.code === UNFINISHED && job.isWanted && launcher.requeue;
    if (mayGoOn && (await launcher.requeue?.(status))?.ok) {
      await noteJob(hub, row.id, { ...status, state: 'waiting', restarts: status.restarts + 1 });
      events.add(row.id, {
        step: 'job',
        kind: 'done',
        message: `Job ${status.handle} saved a checkpoint before its end and was put into the queue again.`,
      });
      return;
    }
    const end = { exit, cause: exit.cause, reason: status.reason, node: status.node };
    if (!(await closeJob(hub, row.id, job.token, end))) return;
    const isInVain = job.runIsQueued && (await isFruitless(hub.pool, job.token));
    events.add(row.id, {
      step: 'job',
      kind: isInVain ? 'failed' : 'done',
      message: explainEnd(status, exit, { isInVain, hasAttached: job.hasAttached }),
    });
    if (!isInVain) return;
    const said = await launcher.tail(job.token, KEPT_LINES);
    for (const line of said.ok ? said.lines : [])
      if (line !== '') events.add(row.id, { step: 'job', kind: 'output', message: line });
    await this.#judgeLauncher(row, said.ok ? (said.lines.at(-1) ?? '') : '');
  }

  async #judgeLauncher(row: LauncherRow, lastLine: string): Promise<void> {
    const { restAfter, restMs } = this.#limits;
    const { hub, events } = this.#desk;
    if ((await countFruitless(hub.pool, row.id, restAfter)) < restAfter) return;
    const reason = `${restAfter} jobs in a row came to nothing${lastLine === '' ? '' : `; the last one said: ${lastLine}`}`;
    await restLauncher(hub, row.id, restMs, reason);
    events.add(row.id, {
      step: 'job',
      kind: 'failed',
      message: `${reason}. No job is submitted for ${restMs / 60_000} min.`,
    });
  }

  /** A job of ours without an open row: its study was deleted, or it was given up too early. */
  async #adopt(row: LauncherRow, launcher: Launcher, status: LaunchStatus): Promise<void> {
    if (!(await noteJob(this.#desk.hub, row.id, status))) this.#stop(row, launcher, status);
  }

  #stop(row: LauncherRow, launcher: Launcher, status: LaunchStatus): void {
    if (this.#stopping.has(status.token)) return;
    const work = launcher
      .stop(status, STOP_GRACE_MS)
      .then((result) => {
        const message = result.ok ? `Job ${status.handle} was cancelled.` : result.fault.message;
        this.#desk.events.add(row.id, { step: 'job', kind: result.ok ? 'done' : 'failed', message });
      })
      .catch((error: unknown) => console.error(`Job ${status.handle} of ${row.name} could not be cancelled:`, error))
      .finally(() => this.#stopping.delete(status.token));
    this.#stopping.set(status.token, work);
  }

  /** @returns false when the next run need not be tried */
  async #place(row: LauncherRow, launcher: Launcher, runId: string): Promise<boolean> {
    const { hub } = this.#desk;
    const token = launchToken(runId, await nextSubmission(hub.pool, runId));
    const dry = await launcher.dryRun(this.#desk.specWith(row, token, runId, ''), token);
    if (!dry.ok) {
      this.#pause(row, dry.fault);
      return false;
    }
    if (!(await beginJob(hub, { token, launcherId: row.id, runId, script: dry.script }))) return true;
    return this.#submit(row, launcher, runId, token);
  }

  async #submit(row: LauncherRow, launcher: Launcher, runId: string, token: LaunchToken): Promise<boolean> {
    const { hub } = this.#desk;
    this.#quiet.delete(row.id);
    const result = await launcher.submit(await this.#desk.spec(row, token, runId), token, this.#desk.report(row.id));
    if (result.ok) {
      this.#setFault(row, null);
      await noteJob(hub, row.id, {
        token,
        handle: result.handle,
        state: 'waiting',
        reason: null,
        wasAsked: true,
        node: null,
        restarts: 0,
      });
      return true;
    }
    const { code, message } = result.fault;
    if (code === 'refused') {
      await closeJob(hub, row.id, token, { exit: null, cause: 'refused', reason: message, node: null });
      await this.#judgeLauncher(row, message);
      return true;
    }
    // The job may have been taken although nobody said so: the next round looks for its token.
    if (OF_THE_CONNECTION.includes(code)) this.#setFault(row, result.fault);
    else {
      await forgetJob(hub, row.id, token);
      if (code !== 'at_limit') this.#pause(row, result.fault);
    }
    return false;
  }

  #pause(row: LauncherRow, fault: LauncherFaultView): void {
    this.#pausedUntil.set(row.id, this.#desk.hub.now().getTime() + this.#limits.faultMs);
    this.#setFault(row, fault);
  }

  #setFault(row: LauncherRow, fault: LauncherFaultView | null): void {
    if (this.#desk.state(row.id).fault?.message !== fault?.message) this.#desk.note(row.id, { fault });
  }

  /** Tries again at once, as after an edit. */
  wake(launcherId: string): void {
    this.#pausedUntil.delete(launcherId);
  }
}
