/**
 * One attempt, from the grant to the hub's last ack: train, upload, write the last record, drain, delete. Every step
 * finds out from the folder whether an earlier agent has done it already.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { AttemptRef, Nack, RecordBatch, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import { type AgentTunables, FAILURE_LOG_LINES } from '@mealtable/protocol/tunables';
import { RecordWriter } from '../train/record-writer.ts';
import { writeOrLog } from './atomic-file.ts';
import type { AttemptDir, StopCause, Verdict } from './attempt-dir.ts';
import type { BlobClient } from './blob-client.ts';
import { CheckpointUploads } from './checkpoint-uploads.ts';
import { cutRecordsFrom } from './cut-records.ts';
import type { Slot } from './host-report.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { readLastLines } from './output-tail.ts';
import { RecordTail } from './record-tail.ts';
import { makeBackoff, waitFor } from './retry.ts';
import { type BadRecord, Spool } from './spool.ts';
import type { TrainerCommand } from './trainer-process.ts';
import { Training } from './training.ts';
import { Wake } from './wake.ts';

export interface AttemptContext {
  tunables: () => AgentTunables;
  limits: AgentLimits;
  log: Log;
  blobs: BlobClient;
  /** Image folders of this host by dataset name. */
  datasets: Map<string, string>;
  commandFor: (dir: AttemptDir, slot: Slot) => TrainerCommand;
  sendRecords: (batch: RecordBatch) => Promise<RecordBatchReply | Nack | null>;
  /** Its trainer is gone; another run may have the slot. */
  onSlotFree: () => void;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
}

const UNKNOWN_END: Verdict = { outcome: 'failed', failureCode: null, message: null, exitCode: null, signal: null };
/** The protocol's bound on `EndedRecord.message`. */
const MAX_MESSAGE = 2000;

export class Attempt {
  readonly ref: AttemptRef;
  readonly slot: Slot;
  readonly #dir: AttemptDir;
  readonly #context: AttemptContext;
  readonly #tail: RecordTail;
  readonly #spool: Spool;
  readonly #uploads: CheckpointUploads;
  readonly #training: Training;
  /** Ends every loop: the agent leaves, the attempt is fenced, or all is done. */
  readonly #over = new AbortController();
  readonly #acked = new Wake();
  #isFenced = false;
  #isLeft = false;
  #occupiesSlot = true;
  #badRecord: BadRecord | null = null;
  /** Numbers of the first record that the agent itself wrote, and of the last one, `ended`. */
  #ownSeq = Number.POSITIVE_INFINITY;
  #endSeq = Number.POSITIVE_INFINITY;

  constructor(dir: AttemptDir, slot: Slot, context: AttemptContext) {
    this.ref = dir.ref;
    this.slot = slot;
    this.#dir = dir;
    this.#context = context;
    const { signal } = this.#over;
    const { limits, blobs, log } = context;
    this.#uploads = new CheckpointUploads({ dir, blobs, limits, log, signal });
    this.#tail = new RecordTail(dir.records, (record) => this.#uploads.add(record));
    this.#spool = new Spool({
      path: dir.records,
      ref: dir.ref,
      tunables: context.tunables,
      limits,
      log,
      send: context.sendRecords,
      onAcked: () => this.#acked.call(),
      onFenced: () => this.fence(),
      onBadRecord: (fault) => this.#refuseRecord(fault),
      signal,
    });
    this.#training = new Training({
      ...context,
      dir,
      slot,
      tail: this.#tail,
      onRecords: () => this.#spool.wake(),
      signal,
    });
  }

  get name(): string {
    return this.#dir.name;
  }
  /** False once the trainer is gone, although records and checkpoints may still be on their way. */
  get occupiesSlot(): boolean {
    return this.#occupiesSlot;
  }

  /** Lives until all is on the hub and the folder is deleted, or until `fence` or `leave`. */
  async run(): Promise<void> {
    const loops = Promise.all([this.#spool.run(), this.#uploads.run()]);
    try {
      // The loops end only after the abort below, unless a bug ends one; then its error ends the attempt.
      await Promise.race([this.#live(), loops]);
    } finally {
      this.#over.abort();
    }
    await loops;
    if (this.#isFenced) await this.#training.kill();
    this.#freeSlot();
    if (this.#isFenced || this.#isDrained()) this.#dir.remove();
  }

  /** The hub has this attempt's records up to `ackedSeq`; sending may go on. */
  open(ackedSeq: number): void {
    this.#spool.open(ackedSeq);
  }
  /** The connection is gone. */
  close(): void {
    this.#spool.close();
  }

  /** Asks the trainer to end; how it did is reported like any other end. */
  stop(cause: StopCause): void {
    this.#training.stop(cause);
  }

  /** Another attempt has the run: the trainer is killed and nothing more of this one is told to anyone. */
  fence(): void {
    if (this.#isFenced) return;
    this.#isFenced = true;
    this.#context.log(`${this.name}: the run belongs to another attempt now, dropping this one.`);
    this.#over.abort();
  }

  /** Its files are still to be dealt with by the next agent. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Ends the watch and leaves trainer and files to the next agent. */
  leave(): void {
    this.#isLeft = true;
    this.#over.abort();
  }

  /** After an error that `run` threw: frees the machine and keeps the files out of the way. Returns where they are. */
  async abandon(): Promise<string> {
    await this.#training.kill();
    this.#freeSlot();
    return this.#dir.setAside();
  }

  async #live(): Promise<void> {
    const { signal } = this.#over;
    while (this.#training.readRecords()) await yieldToOthers();
    let verdict: Verdict | null = null;
    if (this.#tail.ended) this.#endSeq = this.#tail.ended.seq;
    else verdict = this.#dir.readVerdict() ?? (await this.#train());
    this.#freeSlot();
    while (!signal.aborted) {
      if (verdict) await this.#conclude(verdict);
      this.#spool.wake();
      while (!this.#isDrained() && !this.#badRecord && !signal.aborted) await this.#acked.wait(signal);
      if (!this.#badRecord) return;
      verdict = this.#dir.readVerdict() ?? UNKNOWN_END;
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

  /** Everything that follows the trainer's end up to the last record. */
  async #conclude(verdict: Verdict): Promise<void> {
    const { signal } = this.#over;
    const { limits } = this.#context;
    const patience = verdict.outcome === 'succeeded' ? Number.POSITIVE_INFINITY : limits.refusedUploadTries;
    const loss = await this.#uploads.finish(patience);
    if (signal.aborted) return;
    const fault = this.#badRecord;
    this.#badRecord = null;
    if (fault || this.#tail.fault) {
      cutRecordsFrom(this.#dir.records, fault?.seq ?? this.#tail.lastSeq + 1);
      this.#spool.restart();
    }
    if (fault) return this.#writeEnd({ ...verdict, ...asError(describeFault(fault)) });
    if (loss && verdict.outcome === 'succeeded') return this.#writeEnd({ ...verdict, ...asError(loss) });
    return this.#writeEnd(verdict);
  }

  /** Appends the output's last lines and the ended record. A full disk is waited for: the hub must hear of the end. */
  async #writeEnd(verdict: Verdict): Promise<void> {
    const { log, limits } = this.#context;
    const { signal } = this.#over;
    const lines = verdict.outcome === 'failed' ? readLastLines(this.#dir.output, FAILURE_LOG_LINES) : [];
    const message = verdict.message?.slice(0, MAX_MESSAGE) ?? null;
    const writes = [
      ...lines.map((line) => (writer: RecordWriter) => writer.log('output', line)),
      (writer: RecordWriter) => writer.write({ kind: 'ended', ...verdict, message }),
    ];
    const backoff = makeBackoff(limits);
    this.#ownSeq = Number.POSITIVE_INFINITY;
    this.#endSeq = Number.POSITIVE_INFINITY;
    let endSeq = 0;
    while (writes.length > 0 && !signal.aborted) {
      try {
        endSeq = this.#write(writes);
      } catch (error) {
        log(`${this.name}: the end of the attempt cannot be written: ${(error as Error).message}`);
        await waitFor(backoff.next(), signal);
      }
    }
    if (writes.length === 0) this.#endSeq = endSeq;
  }

  /** Takes off the list what has been written. Returns the number of the last one. */
  #write(writes: ((writer: RecordWriter) => number)[]): number {
    const writer = RecordWriter.open(this.#dir.records);
    try {
      for (let write = writes[0]; write; write = writes[0]) {
        this.#ownSeq = Math.min(this.#ownSeq, write(writer));
        writes.shift();
      }
      return writer.lastSeq;
    } finally {
      writer.close();
    }
  }

  #refuseRecord(fault: BadRecord): void {
    // The agent's own words: nothing is left that could be said about this attempt.
    if (fault.seq >= this.#ownSeq || fault.seq === this.#endSeq) throw new Error(describeFault(fault));
    this.#context.log(`${this.name}: ${describeFault(fault)}`);
    this.#badRecord = fault;
    this.stop({ kind: 'failed', failureCode: 'trainer_error', message: describeFault(fault) });
    this.#acked.call();
  }

  #isDrained(): boolean {
    return this.#spool.acked >= this.#endSeq;
  }

  #freeSlot(): void {
    if (!this.#occupiesSlot) return;
    this.#occupiesSlot = false;
    this.#context.onSlotFree();
  }
}

const asError = (message: string) => ({ outcome: 'failed', failureCode: 'trainer_error', message }) as const;

function describeFault({ seq, path, message }: BadRecord): string {
  return `The hub cannot read record ${seq} of the trainer (${path}: ${message}).`;
}
