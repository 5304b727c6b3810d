/** Runs one attempt's trainer: starts or adopts it, watches it, stops it, and judges how it ended. */
import { existsSync, writeFileSync } from 'node:fs';
import type { AgentTunables } from '@mealtable/protocol/tunables';
import { hasCode, writeOrLog } from './atomic-file.ts';
import type { AttemptDir, StopCause, Verdict } from './attempt-dir.ts';
import type { BlobClient } from './blob-client.ts';
import type { Slot } from './host-report.ts';
import { judgeExit, type TrainerExit } from './judge-exit.ts';
import type { Log } from './log.ts';
import { fetchInputs, makeJob } from './prepare-inputs.ts';
import type { RecordTail } from './record-tail.ts';
import { waitFor } from './retry.ts';
import {
  endLeftovers,
  findTrainer,
  killTrainer,
  readExit,
  signalTrainer,
  startTrainer,
  type TrainerCommand,
  type TrainerProcess,
} from './trainer-process.ts';

export interface TrainingOptions {
  dir: AttemptDir;
  slot: Slot;
  tail: RecordTail;
  blobs: BlobClient;
  /** Image folders of this host by dataset name. */
  datasets: Map<string, string>;
  commandFor: (dir: AttemptDir, slot: Slot) => TrainerCommand;
  /** The program that supervises trainers; null where it cannot run. */
  shim: string | null;
  tunables: () => AgentTunables;
  log: Log;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
  /** There may be new records in the file. */
  onRecords: () => void;
  /** The agent leaves or the attempt is fenced: stop watching, and leave the trainer as it is. */
  signal: AbortSignal;
}

type Failure = Extract<StopCause, { kind: 'failed' }>;

export class Training {
  readonly #options: TrainingOptions;
  readonly #stopAsked = new AbortController();
  #stop: StopCause | null = null;
  #trainer: TrainerProcess | null = null;
  #isGone = false;

  constructor(options: TrainingOptions) {
    this.#options = options;
  }

  /** Null when the signal ended the watch first. Throws only on bugs and on file errors that no retry can mend. */
  async run(): Promise<Verdict | null> {
    const { dir, signal } = this.#options;
    this.#stop ??= dir.readStop();
    const exit = await this.#startAndWatch();
    if (exit === null || signal.aborted) return null;
    this.#isGone = true;
    while (this.readRecords());
    return judgeExit({ exit, stop: this.#stop, failure: dir.readFailure() });
  }

  /** Ends the trainer in good order; the first cause counts. Nothing happens when it is gone already. */
  stop(cause: StopCause): void {
    if (this.#stop !== null || this.#isGone) return;
    this.#stop = cause;
    this.#stopAsked.abort();
    writeOrLog(this.#options.log, () => this.#options.dir.writeStop(cause));
    if (this.#trainer) void this.#endTrainer(this.#trainer);
  }

  /** Ends the trainer at once, without a checkpoint, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#stopAsked.abort();
    const trainer = this.#trainer ?? (await this.#findRunning());
    if (trainer) {
      killTrainer(trainer.identity);
      await trainer.exited;
    }
    endLeftovers(this.#options.dir);
  }

  /** Takes in what is new in the record file. A record that cannot be read stops the trainer. True when there was something. */
  readRecords(): boolean {
    const { tail, dir, log, onRecords } = this.#options;
    const isNew = tail.read();
    if (isNew) onRecords();
    if (tail.fault && this.#stop === null) {
      log(`${dir.name}: ${tail.fault.message}`);
      this.stop({ kind: 'failed', failureCode: 'trainer_error', message: tail.fault.message });
    }
    return isNew;
  }

  async #startAndWatch(): Promise<TrainerExit | null> {
    this.#trainer = await this.#findRunning();
    if (this.#trainer) {
      this.#options.log(
        `${this.#options.dir.name}: found its trainer at work (process ${this.#trainer.identity.pid}).`,
      );
      if (this.#stop) void this.#endTrainer(this.#trainer);
    } else if (this.#hasRun()) {
      endLeftovers(this.#options.dir);
      return readExit(this.#options.dir);
    } else {
      if (this.#stop === null) await this.#start();
      if (!this.#trainer) return { seen: true, exitCode: null, signal: null, memory: null };
    }
    return this.#watch(this.#trainer!);
  }

  #findRunning(): Promise<TrainerProcess | null> {
    return findTrainer(this.#options.dir, this.#pollMs);
  }

  readonly #pollMs = () => this.#options.tunables().spoolReadMs;

  #hasRun(): boolean {
    const { dir } = this.#options;
    return dir.readTrainer() !== null || existsSync(dir.records);
  }

  /** Leaves `#trainer` null when it could not be started, with the reason in `#stop`. */
  async #start(): Promise<void> {
    const { dir, slot, blobs, datasets, commandFor, shim, log, signal } = this.#options;
    const fail = (failureCode: Failure['failureCode'], message: string) => {
      this.#stop ??= { kind: 'failed', failureCode, message };
    };
    const grant = dir.readGrant();
    if (!grant) return fail('trainer_error', 'The work order of this attempt cannot be read.');
    const { dataset } = grant.config;
    const datasetPath = datasets.get(dataset);
    if (!datasetPath)
      return fail(
        'dataset_invalid',
        `The host has no dataset "${dataset}": start its agent with --dataset ${dataset}=FOLDER.`,
      );
    const job = makeJob(grant, dir, datasetPath, slot.threads);
    if (typeof job === 'string') {
      this.#stop ??= { kind: 'refused', message: job };
      return;
    }
    const inputs = await fetchInputs(grant, dir, blobs, AbortSignal.any([signal, this.#stopAsked.signal]));
    if (!inputs.ok && inputs.code !== 'aborted') return fail(inputs.code, inputs.message);
    // A stop may have come while the last file was being verified, after the last look at the signal.
    if (!inputs.ok || signal.aborted || this.#stop !== null) return;
    try {
      dir.writeJob(job);
      const trainer = await startTrainer(commandFor(dir, slot), dir, slot.index, shim, this.#pollMs);
      this.#trainer = trainer;
      log(`${dir.name}: training in slot ${slot.index} (process ${trainer.identity.pid}): ${grant.label}`);
    } catch (error) {
      const failureCode = hasCode(error, 'ENOSPC') ? 'disk_full' : 'trainer_error';
      fail(failureCode, `The trainer could not be started: ${(error as Error).message}`);
    }
  }

  /** Null when the signal ended the watch. */
  async #watch(trainer: TrainerProcess): Promise<TrainerExit | null> {
    const { signal, tunables, monotonicNow, log, dir } = this.#options;
    // Not a race with `exited` at every look: each would leave a reaction behind until the trainer's end, days later.
    const gone = new AbortController();
    let exit: TrainerExit | undefined;
    void trainer.exited.then((value) => {
      exit = value;
      gone.abort();
    });
    for (let lastProgress = monotonicNow(); ; ) {
      if (this.readRecords()) lastProgress = monotonicNow();
      if (exit !== undefined || signal.aborted) return exit ?? null;
      const afterMs = monotonicNow() - lastProgress;
      if (afterMs > tunables().stallAfterMs && this.#stop === null) {
        log(`${dir.name}: no record for ${Math.round(afterMs / 1000)} s, stopping the trainer.`);
        this.stop({ kind: 'stalled', afterMs });
      }
      await waitFor(tunables().spoolReadMs, gone.signal);
    }
  }

  /** SIGTERM, and SIGKILL when the grace is over. */
  async #endTrainer(trainer: TrainerProcess): Promise<void> {
    const { dir, tunables, log, monotonicNow } = this.#options;
    if (this.#stop?.kind === 'cancelled') writeOrLog(log, () => writeFileSync(dir.cancelMark, ''));
    signalTrainer(trainer.identity, 'SIGTERM');
    const gone = new AbortController();
    void trainer.exited.then(() => gone.abort());
    // Looked at again and again, since the hub's own grace may arrive while a new agent is at it.
    for (const begun = monotonicNow(); monotonicNow() - begun < tunables().stopGraceMs; ) {
      await waitFor(tunables().spoolReadMs, gone.signal);
      if (gone.signal.aborted) return;
    }
    log(`${dir.name}: the trainer did not end within ${tunables().stopGraceMs} ms, killing it.`);
    killTrainer(trainer.identity);
  }
}
