/**
 * One attempt, from the grant to the hub's last ack: train, upload, write the last record, drain, delete. Every step
 * finds out from the folder whether an earlier agent has done it already.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { AttemptRef, Nack, RecordBatch, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { OutputBatch, OutputBatchReply } from '@mealtable/protocol/output';
import type { AgentTunables } from '@mealtable/protocol/tunables';
import { writeOrLog } from './atomic-file.ts';
import type { AttemptDir, StopCause, Verdict } from './attempt-dir.ts';
import { AttemptOutput } from './attempt-output.ts';
import type { BlobClient } from './blob-client.ts';
import { CheckpointUploads } from './checkpoint-uploads.ts';
import { cutRecordsFrom } from './cut-records.ts';
import type { Slot } from './host-report.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { RecordTail } from './record-tail.ts';
import { type BadRecord, Spool } from './spool.ts';
import type { TrainerCommand } from './trainer-process.ts';
import { Training } from './training.ts';
import { Wake } from './wake.ts';
import { type OwnRecords, writeEnd } from './write-end.ts';

export interface AttemptContext {
  tunables: () => AgentTunables;
  limits: AgentLimits;
  log: Log;
  blobs: BlobClient;
  /** Image folders of this host by dataset name. */
  datasets: Map<string, string>;
  commandFor: (dir: AttemptDir, slot: Slot) => TrainerCommand;
  /** The program that supervises trainers; null where it cannot run. */
  shim: string | null;
  sendRecords: (batch: RecordBatch) => Promise<RecordBatchReply | Nack | null>;
  sendOutput: (batch: OutputBatch) => Promise<OutputBatchReply | Nack | null>;
  /** Whether the hub takes what trainers print; null before the first hello. */
  takesOutput: () => boolean | null;
  /** Its trainer is gone; another run may have the slot. */
  onSlotFree: () => void;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
}

const UNKNOWN_END: Verdict = { outcome: 'failed', failureCode: null, message: null, exitCode: null, signal: null };

export class Attempt {
  readonly ref: AttemptRef;
  readonly slot: Slot;
  readonly #dir: AttemptDir;
  readonly #context: AttemptContext;
  readonly #tail: RecordTail;
  readonly #spool: Spool;
  readonly #output: AttemptOutput;
  readonly #uploads: CheckpointUploads;
  readonly #training: Training;
  /** Ends training and uploads: the attempt is fenced, or over. */
  readonly #halt = new AbortController();
  /** Ends the sending, too. */
  readonly #over = new AbortController();
  readonly #progress = new Wake();
  #isFenced = false;
  #isLeft = false;
  #occupiesSlot = true;
  #badRecord: BadRecord | null = null;
  /** The hub takes no more of this fenced attempt. */
  #isUnwanted = false;
  /** What the agent itself wrote at the end. */
  #own: OwnRecords | null = null;

  constructor(dir: AttemptDir, slot: Slot, context: AttemptContext) {
    this.ref = dir.ref;
    this.slot = slot;
    this.#dir = dir;
    this.#context = context;
    const { limits, blobs, log } = context;
    this.#uploads = new CheckpointUploads({ dir, blobs, limits, log, signal: this.#halt.signal });
    this.#tail = new RecordTail(dir.records, (record) => this.#uploads.add(record));
    this.#spool = new Spool({
      path: dir.records,
      ref: dir.ref,
      tunables: context.tunables,
      limits,
      log,
      send: context.sendRecords,
      onAcked: () => this.#progress.call(),
      onFenced: (takesMore) => this.#hearFence(takesMore),
      onBadRecord: (fault) => this.#refuseRecord(fault),
      signal: this.#over.signal,
    });
    this.#output = new AttemptOutput({
      dir,
      ref: dir.ref,
      tunables: context.tunables,
      limits,
      log,
      isWanted: context.takesOutput,
      send: context.sendOutput,
      onFenced: () => this.fence(),
      onProgress: () => this.#progress.call(),
      signal: this.#over.signal,
    });
    this.#training = new Training({
      ...context,
      dir,
      slot,
      tail: this.#tail,
      onRecords: () => this.#spool.wake(),
      signal: this.#halt.signal,
    });
  }

  get name(): string {
    return this.#dir.name;
  }
  /** False once the trainer is gone, although records and checkpoints may still be on their way. */
  get occupiesSlot(): boolean {
    return this.#occupiesSlot;
  }
  /** Number of its trainer's process and process group; null while there is none yet. */
  get trainerPid(): number | null {
    return this.#dir.readTrainer()?.process.pid ?? null;
  }
  /** Its files are still to be dealt with by the next agent. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Lives until the hub has all that it wants and the folder is deleted, or until `leave`. */
  async run(): Promise<void> {
    const loops = Promise.all([this.#spool.run(), this.#output.run(), this.#uploads.run()]);
    try {
      // The loops end only after the aborts below, unless a bug ends one; then its error ends the attempt.
      await Promise.race([this.#live(), loops]);
    } finally {
      this.#halt.abort();
      this.#over.abort();
    }
    await loops;
    if (!this.#isLeft) this.#dir.remove();
  }

  /** The hub has this attempt's records up to `ackedSeq`; sending may go on. */
  open(ackedSeq: number): void {
    this.#spool.open(ackedSeq);
    this.#output.open();
  }
  /** The connection is gone. */
  close(): void {
    this.#spool.close();
    this.#output.close();
  }

  /** Asks the trainer to end; how it did is reported like any other end. */
  stop(cause: StopCause): void {
    this.#training.stop(cause);
  }

  /** Another attempt has the run: the trainer is killed, its checkpoints are dropped, and only what it wrote is still sent. */
  fence(): void {
    if (this.#isFenced || this.#isReported()) return;
    this.#isFenced = true;
    this.#context.log(`${this.name}: the run belongs to another attempt now, ending this one.`);
    this.#halt.abort();
    this.#progress.call();
  }

  /** Ends the watch and leaves trainer and files to the next agent. */
  leave(): void {
    this.#isLeft = true;
    this.#halt.abort();
    this.#over.abort();
  }

  /** After an error that `run` threw: frees the machine and keeps the files out of the way. Returns where they are. */
  async abandon(): Promise<string> {
    await this.#training.kill();
    this.#freeSlot();
    return this.#dir.setAside();
  }

  async #live(): Promise<void> {
    while (this.#training.readRecords()) await yieldToOthers();
    const { ended } = this.#tail;
    if (ended) this.#own = { firstSeq: ended.seq, lastSeq: ended.seq };
    else await this.#finish(this.#dir.readVerdict() ?? (await this.#train()));
    while (!this.#isLeft) {
      if (this.#isFenced) await this.#sweep();
      this.#freeSlot();
      this.#spool.wake();
      while (!this.#isDone() && !this.#badRecord && !this.#isLeft) await this.#progress.wait(this.#over.signal);
      if (!this.#badRecord || this.#isDone()) return;
      await this.#finish(this.#dir.readVerdict() ?? UNKNOWN_END);
    }
  }

  async #train(): Promise<Verdict | null> {
    const verdict = await this.#training.run();
    if (verdict === null) return null;
    const { outcome, message } = verdict;
    this.#context.log(`${this.name}: ${outcome}${message ? `: ${message}` : ''}`);
    writeOrLog(this.#context.log, () => this.#dir.writeVerdict(verdict));
    return verdict;
  }

  /** From the trainer's end to the last record in the file; a fence or `leave` ends it early. */
  async #finish(verdict: Verdict | null): Promise<void> {
    const { signal } = this.#halt;
    if (verdict === null || signal.aborted) return;
    this.#freeSlot();
    const { limits, takesOutput } = this.#context;
    const patience = verdict.outcome === 'succeeded' ? Number.POSITIVE_INFINITY : limits.refusedUploadTries;
    const loss = await this.#uploads.finish(patience);
    // An agent that has just begun may have met no hub yet, and not know whether the last lines must go with the records.
    while (verdict.outcome === 'failed' && takesOutput() === null && !signal.aborted) await this.#progress.wait(signal);
    if (signal.aborted) return;
    const sendsOutput = takesOutput() === true;
    this.#own = await writeEnd(this.#dir, this.#correct(verdict, loss), sendsOutput, this.#context, signal);
  }

  /** The verdict, unless something that only the agent knows makes it a failure. Cuts the file at a bad record. */
  #correct(verdict: Verdict, loss: string | null): Verdict {
    const fault = this.#badRecord;
    this.#badRecord = null;
    if (fault || this.#tail.fault) {
      cutRecordsFrom(this.#dir.records, fault?.seq ?? this.#tail.lastSeq + 1);
      this.#spool.restart();
    }
    if (fault) return { ...verdict, ...asError(describeFault(fault)) };
    return loss && verdict.outcome === 'succeeded' ? { ...verdict, ...asError(loss) } : verdict;
  }

  /** What is left to do for a fenced attempt: its trainer is ended, and the hub gets the records that it wrote. */
  async #sweep(): Promise<void> {
    await this.#training.kill();
    while (this.#tail.read()) await yieldToOthers();
    this.#own ??= { firstSeq: Number.POSITIVE_INFINITY, lastSeq: this.#tail.lastSeq };
  }

  #hearFence(takesMore: boolean): void {
    this.fence();
    this.#isUnwanted = !takesMore;
    this.#progress.call();
  }

  #refuseRecord(fault: BadRecord): void {
    // The agent's own words: nothing is left that could be said about this attempt.
    if (this.#own && fault.seq >= this.#own.firstSeq) throw new Error(describeFault(fault));
    this.#context.log(`${this.name}: ${describeFault(fault)}`);
    if (this.#isFenced) this.#isUnwanted = true;
    this.#badRecord = fault;
    this.stop({ kind: 'failed', failureCode: 'trainer_error', message: describeFault(fault) });
    this.#progress.call();
  }

  /** The hub has all records that it will take. */
  #isReported(): boolean {
    return this.#isUnwanted || (this.#own !== null && this.#spool.acked >= this.#own.lastSeq);
  }

  /** The hub has everything that it will take. */
  #isDone(): boolean {
    return this.#isReported() && this.#output.isDone;
  }

  #freeSlot(): void {
    if (!this.#occupiesSlot) return;
    this.#occupiesSlot = false;
    this.#output.finish();
    this.#context.onSlotFree();
  }
}

const asError = (message: string) => ({ outcome: 'failed', failureCode: 'trainer_error', message }) as const;

function describeFault({ seq, path, message }: BadRecord): string {
  return `The hub cannot read record ${seq} of the trainer (${path}: ${message}).`;
}
