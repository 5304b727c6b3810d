/** All launchers of a hub: what owners may do with them, and what is done in the background. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mealtable/protocol/errors';
import type { LauncherEventView, LauncherView, SlurmJobView } from '@mealtable/protocol/launcher-views';
import type { LauncherSettings } from '@mealtable/protocol/launchers';
import { launchToken } from '../launch/launcher.ts';
import { type HostKey, readHostKey } from '../launch/shell/host-key.ts';
import { launchAgent, lookAtAgent, reportBug, stopAgent } from './agent-acts.ts';
import { forgetLauncherToken } from './agent-token.ts';
import { applyConfig, keepHostKey } from './apply-config.ts';
import { readHubConfig } from './config-file.ts';
import { agentTokenOf, type DeskHub, type DeskOptions, LauncherDesk } from './desk.ts';
import { readEvents } from './event-log.ts';
import {
  deleteLauncher,
  insertLauncher,
  type LauncherRow,
  loadLauncher,
  loadLaunchers,
  updateLauncher,
  wakeLauncher,
} from './launcher-rows.ts';
import { ROUND_LIMITS, type RoundLimits, SlurmRounds } from './slurm/rounds.ts';
import { describeLaunchers, listJobs } from './views.ts';

export interface LaunchersOptions extends DeskOptions {
  /** Between two rounds over the launchers of batch jobs. */
  roundMs?: number;
  /** Between two looks at agents that stay. */
  lookMs?: number;
  limits?: Partial<RoundLimits>;
  log(line: string): void;
}

const ROUND_MS = 5_000;
const LOOK_MS = 60_000;
const CLOSE_WAIT_MS = 5_000;
const SHOWN_EVENTS = 2_000;
const SHOWN_JOBS = 500;
const SHOWN_LOG_LINES = 500;

export class Launchers {
  readonly #desk: LauncherDesk;
  readonly #rounds: SlurmRounds;
  readonly #options: LaunchersOptions;
  readonly #work = new Set<Promise<unknown>>();
  #timers: NodeJS.Timeout[] = [];
  #isClosed = false;
  #problems: string[] = [];

  constructor(hub: DeskHub, options: LaunchersOptions) {
    this.#desk = new LauncherDesk(hub, options);
    this.#rounds = new SlurmRounds(this.#desk, { ...ROUND_LIMITS, ...options.limits });
    this.#options = options;
  }

  /** Applies the config file; looks and rounds begin. */
  async start(): Promise<void> {
    const config = readHubConfig(this.#desk.hub.env);
    this.#problems = [...config.problems, ...(await applyConfig(this.#desk, config))];
    for (const problem of this.#problems) this.#options.log(problem);
    const { roundMs = ROUND_MS, lookMs = LOOK_MS } = this.#options;
    this.#repeat(0, roundMs, 'slurm', (row) => this.#rounds.round(row));
    this.#repeat(0, lookMs, 'agent', async (row) => {
      if (this.#desk.state(row.id).task === null) await lookAtAgent(this.#desk, row);
    });
  }

  /** Waits a moment for what is under way: the rest goes on over there, and the next hub finds it by its tokens. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rounds.close();
    for (const timer of this.#timers) clearTimeout(timer);
    const settled = Promise.allSettled([...this.#work, this.#rounds.settle()]);
    await Promise.race([settled, sleep(CLOSE_WAIT_MS, undefined, { ref: false })]);
    await this.#desk.close();
  }

  async list(): Promise<{ launchers: LauncherView[]; configProblems: string[] }> {
    const launchers = await describeLaunchers(this.#desk, await loadLaunchers(this.#desk.hub.pool));
    return { launchers, configProblems: this.#problems };
  }

  events(id: string, after: number | null): Promise<LauncherEventView[]> {
    return readEvents(this.#desk.hub.pool, id, after, SHOWN_EVENTS);
  }

  jobs(id: string): Promise<SlurmJobView[]> {
    return listJobs(this.#desk.hub.pool, id, SHOWN_JOBS);
  }

  add(name: string, settings: LauncherSettings, createdById: string): Promise<string> {
    return insertLauncher(this.#desk.hub, { name, settings, createdById, fromConfig: false });
  }

  /** What runs goes on; an agent gets the new settings with the next launch. */
  async edit(id: string, name: string, settings: LauncherSettings): Promise<void> {
    const row = await this.#editable(id);
    const kept = keepHostKey(settings, row.settings);
    await updateLauncher(this.#desk.hub, id, { name, settings: kept, fromConfig: false });
    this.#rounds.wake(id);
  }

  /** @throws {AppError} conflict while its agent or jobs run: what nobody knows any more could not be stopped */
  async remove(id: string): Promise<void> {
    const row = await this.#editable(id);
    const [view] = await describeLaunchers(this.#desk, [row]);
    const isAtWork = view!.hosts.some(({ isOnline }) => isOnline) || view!.jobs.running + view!.jobs.waiting > 0;
    if (view!.task !== null || isAtWork)
      throw new AppError('conflict', `${row.name} is at work. Stop its agent, or cancel the runs of its jobs, first.`);
    await deleteLauncher(this.#desk.hub, id);
    forgetLauncherToken(this.#desk.hub, id);
    await this.#desk.forget(id);
  }

  /** Begins a launch; its steps are told as events. */
  async launch(id: string, who: string): Promise<void> {
    const row = await this.#agentRow(id);
    this.#run(row, launchAgent(this.#desk, row, who));
  }

  async stop(id: string, who: string): Promise<void> {
    const row = await this.#agentRow(id);
    this.#run(row, stopAgent(this.#desk, row, who));
  }

  /** Asks now how its agent or its jobs are. */
  async look(id: string): Promise<void> {
    const row = await loadLauncher(this.#desk.hub.pool, id);
    if (row.kind === 'slurm') await this.#rounds.round(row);
    else await lookAtAgent(this.#desk, row);
  }

  /** Last lines of the agent's log, or of a job's output. */
  async tail(id: string, token: string | null): Promise<{ lines: string[]; problem: string | null }> {
    const row = await loadLauncher(this.#desk.hub.pool, id);
    const launcher = await this.#desk.open(row);
    const result = await launcher.tail(token === null ? agentTokenOf(id) : launchToken(token), SHOWN_LOG_LINES);
    return result.ok ? { lines: result.lines, problem: null } : { lines: [], problem: result.fault.message };
  }

  /** The key that the host shows now. @throws {AppError} unavailable when it shows none */
  async readHostKey(id: string): Promise<HostKey & { isAccepted: boolean; hasOther: boolean }> {
    const { settings } = await loadLauncher(this.#desk.hub.pool, id);
    const ssh = settings.kind === 'local' ? null : settings.ssh;
    if (!ssh) throw new AppError('invalid', 'This launcher uses no ssh, so there is no host key.');
    const result = await readHostKey(ssh, this.#desk.variables);
    if (!result.ok) throw new AppError('unavailable', result.fault.message);
    const isAccepted = ssh.hostKey === result.hostKey.line;
    return { ...result.hostKey, isAccepted, hasOther: ssh.hostKey !== undefined && !isAccepted };
  }

  /** From now on only this key is accepted. @param line as `readHostKey` gave it to the person who compared it */
  async acceptHostKey(id: string, line: string, who: string): Promise<void> {
    const { hub, events } = this.#desk;
    const shown = await this.readHostKey(id);
    if (shown.line !== line)
      throw new AppError('conflict', 'The host shows another key by now. Look at its fingerprint again.');
    const row = await loadLauncher(hub.pool, id);
    const { settings } = row;
    if (settings.kind === 'local' || !settings.ssh) return;
    const ssh = { ...settings.ssh, hostKey: line };
    const pinned = settings.kind === 'ssh' ? { ...settings, ssh } : { ...settings, ssh };
    await updateLauncher(hub, id, { name: row.name, settings: pinned, fromConfig: row.fromConfig });
    events.add(id, { step: 'host_key', kind: 'done', message: `${who} accepted the key ${shown.fingerprint}.` });
    this.#rounds.wake(id);
    this.#desk.note(id, { fault: null });
  }

  /** What a launch, or the job of the given run, would submit, exactly. @throws {AppError} unavailable */
  async dryRun(id: string, runId: string | null): Promise<{ script: string }> {
    const row = await loadLauncher(this.#desk.hub.pool, id);
    const launcher = await this.#desk.open(row);
    const run = row.kind === 'slurm' ? (runId ?? EXAMPLE_RUN) : null;
    const token = run === null ? agentTokenOf(id) : launchToken(run, 1);
    const result = await launcher.dryRun(this.#desk.specWith(row, token, run, ''), token);
    if (!result.ok) throw new AppError('unavailable', result.fault.message);
    return { script: result.script };
  }

  /** Ends a rest. */
  async wake(id: string): Promise<void> {
    await wakeLauncher(this.#desk.hub, id);
    this.#rounds.wake(id);
  }

  async #editable(id: string): Promise<LauncherRow> {
    const row = await loadLauncher(this.#desk.hub.pool, id);
    if (row.fromConfig)
      throw new AppError('conflict', `${row.name} is from the hub's config file: change it there and restart the hub.`);
    return row;
  }

  async #agentRow(id: string): Promise<LauncherRow> {
    const row = await loadLauncher(this.#desk.hub.pool, id);
    if (row.kind === 'slurm')
      throw new AppError(
        'conflict',
        `${row.name} starts a job for each run by itself: there is no agent to start or stop.`,
      );
    const { task } = this.#desk.state(id);
    if (task !== null) throw new AppError('conflict', `${row.name} is ${task} already.`);
    return row;
  }

  #run(row: LauncherRow, work: Promise<unknown>): void {
    const told = work.catch((error: unknown) => reportBug(this.#desk, row, 'launch', error));
    this.#work.add(told);
    void told.finally(() => this.#work.delete(told));
  }

  #repeat(firstMs: number, everyMs: number, which: 'slurm' | 'agent', work: (row: LauncherRow) => Promise<void>): void {
    const round = async () => {
      const rows = (await loadLaunchers(this.#desk.hub.pool)).filter(
        ({ kind }) => (kind === 'slurm') === (which === 'slurm'),
      );
      await Promise.all(
        rows.map((row) =>
          work(row).catch((error: unknown) => {
            if (!this.#isClosed) console.error(`A look at the launcher ${row.name} failed:`, error);
          }),
        ),
      );
    };
    const next = (ms: number) => {
      const timer = setTimeout(() => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        const work = round()
          .catch((error: unknown) => console.error('The launchers could not be looked at:', error))
          .finally(() => {
            this.#work.delete(work);
            if (!this.#isClosed) next(everyMs);
          });
        this.#work.add(work);
      }, ms);
      this.#timers.push(timer);
    };
    next(firstMs);
  }
}

/** Stands for a run in a dry run without one. */
const EXAMPLE_RUN = 'run_0000000000000000000000';
