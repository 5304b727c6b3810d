/**
 * Brings the records of one attempt to the hub: in order, one batch in flight, each sent again until it is acked. The
 * file is the buffer, so an outage of any length costs no memory, and the hub's high-water mark is the only position
 * that has to survive; it comes with every hello.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { AttemptRef, Nack, RecordBatch, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { AttemptRecord } from '@mealtable/protocol/records';
import type { AgentTunables } from '@mealtable/protocol/tunables';
import { hasCode } from './atomic-file.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { readGoodRecords } from './read-good-records.ts';
import { makeBackoff, waitFor } from './retry.ts';
import { Wake } from './wake.ts';

export interface SpoolOptions {
  path: string;
  ref: AttemptRef;
  tunables: () => AgentTunables;
  limits: AgentLimits;
  log: Log;
  /** Null when no answer came. */
  send: (batch: RecordBatch) => Promise<RecordBatchReply | Nack | null>;
  /** `acked` has grown. */
  onAcked: () => void;
  /** The hub has given the run to another attempt; it may still take records of this one. */
  onFenced: (takesMore: boolean) => void;
  /** The hub cannot read this record. Nothing is sent any more until `restart`. */
  onBadRecord: (fault: BadRecord) => void;
  signal: AbortSignal;
}

export interface BadRecord {
  seq: number;
  path: string;
  message: string;
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #wake = new Wake();
  /** Records after `#offset`, read and not acked yet. */
  #chunk: AttemptRecord[] = [];
  #chunkEnd = 0;
  #offset = 0;
  #acked = 0;
  #fsyncedTo = 0;
  /** The hub has said hello and knows this attempt. */
  #isOpen = false;
  /** Fenced for good, or held up by a record that the hub cannot read. */
  #isBlocked = false;
  /** After a refusal, records up to this one go one by one, which singles out what the hub cannot read. */
  #suspectTo = 0;
  #toldBusy = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Number of the last record that the hub is known to have stored. */
  get acked(): number {
    return this.#acked;
  }

  /** The hub knows this attempt and has its records up to `ackedSeq`: go on from there. */
  open(ackedSeq: number): void {
    this.#moveTo(ackedSeq);
    this.#isOpen = true;
    this.#wake.call();
  }

  /** The connection is gone; the next hello opens again. */
  close(): void {
    this.#isOpen = false;
  }

  /** There may be new records. */
  wake(): void {
    this.#wake.call();
  }

  /** The file was cut at a bad record and goes on otherwise from there. */
  restart(): void {
    this.#offset = 0;
    this.#chunk = [];
    this.#chunkEnd = 0;
    this.#fsyncedTo = 0;
    this.#suspectTo = 0;
    this.#isBlocked = false;
    this.#wake.call();
  }

  /** Sends until the signal ends it. */
  async run(): Promise<void> {
    const { signal, limits } = this.#options;
    const backoff = makeBackoff(limits);
    let file: FileHandle | null = null;
    try {
      while (!signal.aborted) {
        file ??= await openIfThere(this.#options.path);
        const batch = file && this.#isOpen && !this.#isBlocked ? await this.#nextBatch(file) : [];
        if (batch.length === 0) {
          await this.#wake.wait(signal);
          continue;
        }
        const reply = await this.#options.send({ ...this.#options.ref, records: batch });
        if (signal.aborted) return;
        // No answer has cost its time already: the next try waits for a connection, and for nothing else.
        if (reply === null) continue;
        if (this.#take(reply, batch)) backoff.reset();
        else await waitFor(backoff.next(), signal);
      }
    } finally {
      await file?.close();
    }
  }

  /** What follows the last acked record, and safely on this disk: a host that forgets what the hub knows would number anew. */
  async #nextBatch(file: FileHandle): Promise<AttemptRecord[]> {
    while (this.#chunk.length === 0) {
      // A record that cannot be read is the end here; the attempt cuts it off and restarts.
      const { maxBatchBytes } = this.#options.tunables();
      const { records, nextOffset } = readGoodRecords(this.#options.path, this.#offset, maxBatchBytes);
      if (records.length === 0) return [];
      this.#chunk = records.filter((record) => record.seq > this.#acked);
      this.#chunkEnd = nextOffset;
      if (this.#chunk.length > 0) break;
      this.#offset = nextOffset;
      // A long file is passed over in pieces, so that sockets and timers get their turns.
      await yieldToOthers();
    }
    if (this.#chunkEnd > this.#fsyncedTo) {
      const end = this.#chunkEnd;
      await file.sync();
      if (this.#chunkEnd === end) this.#fsyncedTo = end;
    }
    // A hello may have come meanwhile and said that the hub has all of this.
    if (this.#chunk.length === 0) return [];
    const isSuspect = this.#chunk[0]!.seq <= this.#suspectTo;
    return this.#chunk.slice(0, isSuspect ? 1 : this.#options.tunables().maxBatchRecords);
  }

  /** True when there was progress; else the caller waits a little before the next try. */
  #take(reply: RecordBatchReply | Nack, batch: AttemptRecord[]): boolean {
    if (reply.ok) {
      this.#toldBusy = false;
      const before = this.#acked;
      this.#moveTo(reply.ackedSeq);
      const hasGrown = this.#acked > before;
      if (reply.fenced) {
        this.#isBlocked = !hasGrown;
        this.#options.onFenced(hasGrown);
      }
      return hasGrown;
    }
    if (reply.code === 'resend_from') {
      const gained = reply.seq - 1 > this.#acked;
      this.#moveTo(reply.seq - 1);
      return gained;
    }
    if (reply.code === 'unavailable') {
      if (!this.#toldBusy) this.#options.log(`The hub cannot store records just now: ${reply.message}`);
      this.#toldBusy = true;
      return false;
    }
    if (batch.length > 1) {
      this.#suspectTo = batch.at(-1)!.seq;
      return true;
    }
    this.#isBlocked = true;
    this.#options.onBadRecord({ seq: batch[0]!.seq, path: reply.path, message: reply.message });
    return true;
  }

  /** Takes the hub's word for what it has: forward past what was acked, or back to the beginning to find an earlier place. */
  #moveTo(ackedSeq: number): void {
    if (ackedSeq < this.#acked) {
      this.#offset = 0;
      this.#chunk = [];
    }
    const hasGrown = ackedSeq > this.#acked;
    this.#acked = ackedSeq;
    const rest = this.#chunk.filter((record) => record.seq > ackedSeq);
    if (rest.length === 0 && this.#chunk.length > 0) this.#offset = this.#chunkEnd;
    this.#chunk = rest;
    if (hasGrown) this.#options.onAcked();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
