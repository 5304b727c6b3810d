/** The agent's loop: keeps the hub and this host of one mind about which attempts run here, and takes new ones. */
import { statfsSync } from 'node:fs';
import {
  type AttemptInSlot,
  AttemptRef,
  Grant,
  type HelloReply,
  type RunRefusal,
  type StopReason,
} from '@mealtable/protocol/agent-messages';
import { type AgentTunables, agentTunables } from '@mealtable/protocol/tunables';
import { Attempt, type AttemptContext } from './attempt.ts';
import { AttemptDir, listAttemptDirs } from './attempt-dir.ts';
import { AGENT_EXIT, type AgentExit } from './exit-codes.ts';
import type { Host, Slot } from './host-report.ts';
import { HubClient, type HubClientOptions } from './hub-client.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { waitFor } from './retry.ts';
import { Slots } from './slots.ts';
import type { HostMeter, PlacedTrainer } from './telemetry/host-meter.ts';
import { SAMPLE_BACKLOG_MS, Sampler } from './telemetry/sampler.ts';
import { Wake } from './wake.ts';

export interface AgentOptions extends Pick<HubClientOptions, 'hub' | 'auth'> {
  host: Host;
  attemptsDir: string;
  limits: AgentLimits;
  log: Log;
  blobs: AttemptContext['blobs'];
  commandFor: AttemptContext['commandFor'];
  shim: AttemptContext['shim'];
  meter: HostMeter;
  monotonicNow: () => number;
  /** A local agent's hub is its only one: without it and without runs for this long, the agent ends. */
  orphanExitMs: number | null;
  /** The only run to ask for. The agent ends when the hub has nothing (more) to do for it. */
  oneRun: string | null;
}

export class Agent {
  readonly #options: AgentOptions;
  readonly #hub: HubClient;
  readonly #slots: Slots;
  readonly #sampler: Sampler;
  readonly #attempts = new Map<string, Attempt>();
  readonly #lives = new Set<Promise<void>>();
  /** Grants that this version cannot read, until the hub knows. */
  readonly #refusals = new Map<string, RunRefusal>();
  readonly #over = new AbortController();
  readonly #mayRequest = new Wake();
  readonly #mayBeat = new Wake();
  readonly #trainerEnded = new Wake();
  #tunables: AgentTunables = agentTunables;
  /** The hub has answered this connection's hello. */
  #isGreeted = false;
  #isStopping = false;
  #lastHubAt: number;
  #toldNoSpace = false;
  /** Whether the hub takes what trainers print; null until it has said hello. */
  #takesOutput: boolean | null = null;
  /** Since when there has been nothing to do. */
  #idleSince: number | null = null;
  #hadAttempt = false;
  #finish: (exit: number | AgentExit) => void = () => {};

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#slots = new Slots(options.host, () => this.#running().map((attempt) => attempt.slot));
    this.#lastHubAt = options.monotonicNow();
    this.#hub = new HubClient({
      hub: options.hub,
      auth: options.auth,
      limits: options.limits,
      log: options.log,
      ackTimeoutMs: () => this.#tunables.ackTimeoutMs,
      onConnect: () => this.#greet(),
      onDisconnect: () => this.#loseHub(),
      onNudge: () => {
        this.#mayRequest.call();
        this.#mayBeat.call();
      },
      onFatal: (exit) => this.#finish(exit),
    });
    this.#sampler = new Sampler({
      measure: () => options.meter.measure(this.#placed()),
      send: (batch) => this.#hub.ask('agent:samples', batch),
      sampleMs: () => this.#tunables.sampleMs,
      backlogMs: SAMPLE_BACKLOG_MS,
      log: options.log,
      monotonicNow: options.monotonicNow,
    });
  }

  /**
   * Works until `stop`, or until a local agent's hub stays away.
   * @returns the exit code @throws {AgentExit} when the hub refuses this agent for good; trainers go on
   */
  async run(): Promise<number> {
    const end = new Promise<number | AgentExit>((resolve) => {
      this.#finish = resolve;
    });
    for (const dir of listAttemptDirs(this.#options.attemptsDir)) this.#begin(dir, this.#slots.of(dir));
    const { signal } = this.#over;
    const loops = [
      this.#requestLoop(signal),
      this.#heartbeatLoop(signal),
      this.#watchForOrphan(signal),
      this.#sampler.run(signal),
    ];
    this.#hub.connect();
    const exit = await end;
    this.#over.abort();
    const running = [...this.#attempts.values()].filter((attempt) => attempt.occupiesSlot).length;
    if (running > 0) this.#options.log(`${running} trainers go on; the next agent takes them over.`);
    for (const attempt of this.#attempts.values()) attempt.leave();
    this.#hub.close();
    await Promise.all([...loops, ...this.#lives, this.#options.meter.close()]);
    if (typeof exit !== 'number') throw exit;
    return exit;
  }

  /** Tells the hub again what this host can do: by a new connection, which begins with that. */
  announce(): void {
    this.#hub.reconnect();
  }

  /** Takes no more runs, lets the trainers save a checkpoint, sends what can be sent in time, and ends `run`. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const { limits, log } = this.#options;
    log(`Stopping: ${this.#running().length} trainers get ${this.#tunables.stopGraceMs} ms to save a checkpoint.`);
    for (const attempt of this.#attempts.values()) attempt.stop({ kind: 'shutdown' });
    const late = AbortSignal.timeout(this.#tunables.stopGraceMs + limits.shutdownExtraMs);
    while (this.#running().length > 0 && !late.aborted) await this.#trainerEnded.wait(late);
    while (this.#attempts.size > 0 && this.#isGreeted && !late.aborted) await this.#trainerEnded.wait(late);
    if (this.#attempts.size > 0)
      log(`${this.#attempts.size} attempts are not on the hub yet; the next start goes on with them.`);
    this.#finish(this.#options.oneRun === null ? AGENT_EXIT.ok : AGENT_EXIT.unfinished);
  }

  /** Ends `run` at once and leaves the trainers to the next agent. */
  handOver(): void {
    this.#finish(AGENT_EXIT.ok);
  }

  #running(): Attempt[] {
    return [...this.#attempts.values()].filter((attempt) => attempt.occupiesSlot);
  }

  #placed(): PlacedTrainer[] {
    return this.#running().map(({ ref, slot, trainerPid }) => ({ ...ref, slot, pid: trainerPid }));
  }

  // ---- the hub's view and ours ---------------------------------------------------------------------------------------

  async #greet(): Promise<boolean> {
    const attempts = this.#refs();
    const reply = await this.#hub.askOrLog('agent:hello', { report: this.#options.host.report, attempts });
    if (!reply || !this.#hub.connected) return false;
    this.#tunables = { ...agentTunables, ...reply.tunables };
    this.#takesOutput = reply.takesOutput ?? false;
    this.#sampler.open(reply.now ?? Date.now());
    for (const told of reply.attempts) this.#settle(told);
    for (const refusal of this.#refusals.values()) void this.#refuse(refusal);
    this.#isGreeted = true;
    // Both loops may be waiting for times from before this hello.
    this.#mayRequest.call();
    this.#mayBeat.call();
    return true;
  }

  #settle({ ackedSeq, action, reason, ...ref }: HelloReply['attempts'][number]): void {
    if (action === 'stop') this.#refusals.delete(keyOf(ref));
    const attempt = this.#find(ref);
    if (!attempt) return;
    if (action === 'stop') this.#obey(attempt, reason ?? 'fenced');
    attempt.open(ackedSeq);
  }

  #loseHub(): void {
    this.#isGreeted = false;
    this.#lastHubAt = this.#options.monotonicNow();
    this.#sampler.close();
    for (const attempt of this.#attempts.values()) attempt.close();
    this.#trainerEnded.call();
  }

  async #heartbeatLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#mayBeat.wait(signal, this.#tunables.heartbeatMs);
      if (signal.aborted) return;
      if (!this.#isGreeted) continue;
      const reply = await this.#hub.askOrLog('agent:heartbeat', { attempts: this.#refs() });
      for (const { reason, ...ref } of reply?.stop ?? []) {
        const attempt = this.#find(ref);
        if (attempt) this.#obey(attempt, reason);
      }
    }
  }

  #obey(attempt: Attempt, reason: StopReason): void {
    if (reason === 'fenced') attempt.fence();
    else if (reason === 'cancelled' || reason === 'paused') attempt.stop({ kind: reason });
    // A newer hub's word, which may mean anything: training goes on.
    else
      this.#options.log(
        `${attempt.name}: the hub asks to stop it for a reason unknown here (${reason satisfies never}).`,
      );
  }

  async #watchForOrphan(signal: AbortSignal): Promise<void> {
    const { orphanExitMs, monotonicNow, log } = this.#options;
    if (orphanExitMs === null) return;
    while (!signal.aborted) {
      await waitFor(Math.min(1000, orphanExitMs / 4), signal);
      const isAway = !this.#isGreeted && monotonicNow() - this.#lastHubAt > orphanExitMs;
      if (!isAway || this.#running().length > 0 || signal.aborted) continue;
      log(`No hub for ${orphanExitMs} ms and nothing running: this agent ends.`);
      this.#finish(AGENT_EXIT.ok);
      return;
    }
  }

  // ---- taking runs ---------------------------------------------------------------------------------------------------

  async #requestLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const gotRuns = await this.#requestRuns();
      if (!gotRuns) await this.#mayRequest.wait(signal, this.#tunables.pollMs);
    }
  }

  /** True when there were runs, so that there may be more. */
  async #requestRuns(): Promise<boolean> {
    if (await this.#slots.lookAtDevices()) this.announce();
    const freeSlots = this.#slots.free().length;
    if (freeSlots === 0 || !this.#isGreeted || this.#isStopping || !this.#hasSpace()) return false;
    // Without an answer in time the hub may have given runs that never arrived here: a new hello tells it so.
    const { oneRun } = this.#options;
    const request = { freeSlots, ...(oneRun === null ? {} : { runId: oneRun }) };
    const reply = await this.#hub.askOrLog('run:request', request, () => this.#hub.reconnect());
    const taken = (reply?.grants ?? []).filter((grant) => this.#take(grant));
    if (oneRun !== null && reply) this.#endWhenIdle(taken.length === 0 && this.#attempts.size === 0);
    return taken.length > 0;
  }

  /** After an attempt the hub's answer is final. Before one, the run may still be leased to a node that was lost. */
  #endWhenIdle(isIdle: boolean): void {
    const { oneRun, limits, log, monotonicNow } = this.#options;
    this.#idleSince = isIdle ? (this.#idleSince ?? monotonicNow()) : null;
    const patienceMs = this.#hadAttempt ? 0 : limits.oneRunPatienceMs;
    if (this.#idleSince === null || monotonicNow() - this.#idleSince < patienceMs) return;
    log(`The hub has nothing to do for ${oneRun}: this agent ends.`);
    this.#finish(AGENT_EXIT.ok);
  }

  #take(unparsed: unknown): boolean {
    const grant = Grant.safeParse(unparsed);
    if (!grant.success) {
      const issue = grant.error.issues[0]!;
      const reason = `The agent of ${this.#options.host.report.name} cannot read this run (${issue.path.join('.')}: ${issue.message}): update Mealtable there and start it again.`;
      this.#options.log(reason);
      const ref = AttemptRef.safeParse(unparsed);
      if (ref.success) void this.#refuse({ ...ref.data, reason });
      else this.#hub.reconnect();
      return false;
    }
    const { runId, attempt: number } = grant.data;
    if (this.#find(grant.data)) return false;
    for (const older of this.#attempts.values())
      if (older.ref.runId === runId && older.ref.attempt < number) older.fence();
    const dir = new AttemptDir(this.#options.attemptsDir, grant.data);
    try {
      dir.create(grant.data);
    } catch (error) {
      this.#options.log(`${dir.name} cannot be started: ${(error as Error).message}`);
      this.#hub.reconnect();
      return false;
    }
    this.#begin(dir, this.#slots.next()).open(0);
    // Tells the hub which slot it is.
    this.#mayBeat.call();
    return true;
  }

  /** Kept, and listed as an attempt of this host, until the hub has taken it: the run must not count as lost here. */
  async #refuse(refusal: RunRefusal): Promise<void> {
    this.#refusals.set(keyOf(refusal), refusal);
    const reply = await this.#hub.askOrLog('run:refuse', refusal, () => this.#hub.reconnect());
    if (reply) this.#refusals.delete(keyOf(refusal));
  }

  #begin(dir: AttemptDir, slot: Slot): Attempt {
    const { limits, log, blobs, host, commandFor, shim, monotonicNow } = this.#options;
    const attempt = new Attempt(dir, slot, {
      tunables: () => this.#tunables,
      limits,
      log,
      blobs,
      datasets: host.datasets,
      commandFor,
      shim,
      sendRecords: (batch) => this.#hub.ask('run:records', batch),
      sendOutput: (batch) => this.#hub.ask('run:output', batch),
      takesOutput: () => this.#takesOutput,
      onSlotFree: () => {
        this.#mayRequest.call();
        this.#trainerEnded.call();
      },
      monotonicNow,
    });
    this.#attempts.set(attempt.name, attempt);
    this.#hadAttempt = true;
    // Granted while the agent was already going away: it ends as interrupted, and the hub queues the run again.
    if (this.#isStopping) attempt.stop({ kind: 'shutdown' });
    const life = this.#live(attempt);
    this.#lives.add(life);
    void life.finally(() => this.#lives.delete(life));
    return attempt;
  }

  async #live(attempt: Attempt): Promise<void> {
    try {
      await attempt.run();
    } catch (error) {
      // A bug, or a broken disk: it must cost this attempt only. The hub gives the run to a new one when the lease is over.
      this.#options.log(`${attempt.name}: ${(error as Error).stack}`);
      this.#options.log(`${attempt.name} is given up; its files are in ${await attempt.abandon()}.`);
    }
    if (!attempt.isLeft) this.#attempts.delete(attempt.name);
    // Whether there is more to do for the one run can be asked only now.
    if (this.#options.oneRun !== null) this.#mayRequest.call();
    this.#trainerEnded.call();
  }

  /** On a full disk every run would fail at once, one after the other. */
  #hasSpace(): boolean {
    const { attemptsDir, limits, log } = this.#options;
    const { bavail, bsize } = statfsSync(attemptsDir);
    const hasSpace = bavail * bsize >= limits.minFreeBytes;
    if (!hasSpace && !this.#toldNoSpace)
      log(`Less than ${limits.minFreeBytes} bytes are free at ${attemptsDir}: no runs are taken until there is room.`);
    this.#toldNoSpace = !hasSpace;
    return hasSpace;
  }

  #refs(): AttemptInSlot[] {
    const refused = [...this.#refusals.values()].map(({ runId, attempt }) => ({ runId, attempt }));
    return [...[...this.#attempts.values()].map(({ ref, slot }) => ({ ...ref, slot: slot.index })), ...refused];
  }

  #find(ref: AttemptRef): Attempt | undefined {
    return [...this.#attempts.values()].find((a) => a.ref.runId === ref.runId && a.ref.attempt === ref.attempt);
  }
}

const keyOf = ({ runId, attempt }: AttemptRef) => `${runId}.${attempt}`;
