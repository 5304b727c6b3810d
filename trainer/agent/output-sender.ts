/**
 * Brings one stream of a trainer's output to the hub. Only the hub's answers say where to go on: the file is the buffer, and
 * numbers come from its bytes, so an agent that takes over, or a hub that has forgotten something, changes nothing.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { AttemptRef, Nack } from '@mealtable/protocol/agent-messages';
import type { OutputBatch, OutputBatchReply, OutputLine, OutputStream } from '@mealtable/protocol/output';
import type { AgentTunables } from '@mealtable/protocol/tunables';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { OutputClock } from './output-clock.ts';
import { OutputFile } from './output-file.ts';
import { OutputLines } from './output-lines.ts';
import { OutputSegments } from './output-segments.ts';
import { makeBackoff, waitFor } from './retry.ts';
import { Wake } from './wake.ts';

export interface OutputSenderOptions {
  path: string;
  stream: OutputStream;
  ref: AttemptRef;
  tunables: () => AgentTunables;
  limits: AgentLimits;
  log: Log;
  /** Whether the hub takes output; null until it has said so. */
  isWanted: () => boolean | null;
  /** Null when no answer came. */
  send: (batch: OutputBatch) => Promise<OutputBatchReply | Nack | null>;
  onFenced: () => void;
  /** `isDone` may have changed. */
  onProgress: () => void;
  signal: AbortSignal;
  now?: () => number;
}

export class OutputSender {
  readonly #options: OutputSenderOptions;
  readonly #file: OutputFile;
  readonly #wake = new Wake();
  readonly #now: () => number;
  #clock: OutputClock | null = null;
  #segments!: OutputSegments;
  #lines!: OutputLines;
  /** Bytes of the stream that were read. */
  #offset = 0;
  /** Read, and not known to be stored. */
  #queue: OutputLine[] = [];
  #acked = 0;
  /** The hub has answered since it came back: `#acked` is what it has. */
  #isPlaced = false;
  #isOpen = false;
  #isRefused = false;
  #isTrainerGone = false;
  /** Everything was read, and there will be no more. */
  #isRead = false;

  constructor(options: OutputSenderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#file = new OutputFile(options.path);
    this.#rewind();
  }

  /** The hub has everything that it will take. */
  get isDone(): boolean {
    if (this.#isRefused || this.#options.isWanted() === false) return true;
    return this.#isRead && this.#queue.length === 0 && (this.#isPlaced || this.#offset === 0);
  }

  /** There is a connection, and the hub knows this attempt. */
  open(): void {
    this.#isOpen = true;
    this.#isPlaced = false;
    this.#wake.call();
    this.#options.onProgress();
  }
  close(): void {
    this.#isOpen = false;
  }

  /** Nothing is printed any more. */
  finish(): void {
    this.#isTrainerGone = true;
    this.#wake.call();
  }

  /** Sends until the signal ends it. */
  async run(): Promise<void> {
    const { signal, limits, tunables } = this.#options;
    const backoff = makeBackoff(limits);
    while (!signal.aborted) {
      this.#look();
      const batch = this.#isOpen && !this.isDone ? await this.#nextBatch() : null;
      this.#bound();
      if (batch === null) {
        this.#options.onProgress();
        await this.#wake.wait(signal, this.isDone ? undefined : tunables().spoolReadMs);
        continue;
      }
      const reply = await this.#options.send(batch);
      if (signal.aborted) return;
      // No answer has cost its time already. Without a connection the next hello wakes this.
      if (reply === null) await this.#wake.wait(signal, tunables().spoolReadMs);
      else if (this.#take(reply)) backoff.reset();
      else await waitFor(backoff.next(), signal);
    }
  }

  #look(): void {
    const seen = this.#file.look();
    if (!seen) return;
    const isFirst = this.#clock === null;
    this.#clock ??= new OutputClock(this.#file.firstByte, seen.bornAt);
    this.#clock.note(seen.end, isFirst ? seen.writtenAt : this.#now());
  }

  /** The next lines, or none to ask where the hub stands; null while there is nothing to say. */
  async #nextBatch(): Promise<OutputBatch | null> {
    const { ref, stream, tunables, signal } = this.#options;
    while (this.#queue.length === 0 && this.#readOn()) {
      // A long file is passed over in pieces, so that sockets and timers get their turns.
      await yieldToOthers();
      if (signal.aborted) return null;
    }
    const after = this.#acked;
    if (!this.#isPlaced) return this.#offset === 0 ? null : { ...ref, stream, after, lines: [] };
    if (this.#queue.length === 0) return null;
    return { ...ref, stream, after, lines: this.#queue.slice(0, tunables().maxBatchRecords) };
  }

  /** False when there is nothing more to read. */
  #readOn(): boolean {
    if (this.#isRead) return false;
    // Asked first: what comes between the last look and the trainer's end must not be missed.
    const isLast = this.#isTrainerGone;
    // As JSON, with its escapes, a byte may become several.
    const bytes = this.#file.read(this.#offset, this.#options.tunables().maxBatchBytes / 4);
    if (bytes.length > 0) {
      this.#offset += bytes.length;
      for (const segment of this.#segments.push(bytes)) this.#add(this.#lines.push(segment, this.#timeOf(segment.end)));
      return true;
    }
    this.#add(this.#lines.pause(this.#now()));
    if (!isLast) return false;
    for (const segment of this.#segments.finish()) this.#add(this.#lines.push(segment, this.#timeOf(segment.end)));
    this.#add(this.#lines.finish());
    this.#isRead = true;
    return false;
  }

  #timeOf(end: number): number {
    return this.#clock?.timeOf(end) ?? this.#now();
  }

  #add(lines: OutputLine[]): void {
    for (const line of lines) if (line.seq > this.#acked) this.#queue.push(line);
  }

  /** True when there was progress; else the caller waits a little before the next try. */
  #take(reply: OutputBatchReply | Nack): boolean {
    if (!reply.ok) {
      if (reply.code === 'unavailable') return false;
      const { stream, log, ref } = this.#options;
      log(`The hub takes no ${stream} of ${ref.runId}.${ref.attempt}: ${reply.path}: ${reply.message}`);
      this.#isRefused = true;
      return true;
    }
    if (reply.fenced) this.#options.onFenced();
    const before = this.#acked;
    const wasPlaced = this.#isPlaced;
    this.#isPlaced = true;
    this.#acked = reply.ackedSeq;
    // The hub has forgotten lines that it had: they are found from the beginning.
    if (this.#acked < before) this.#rewind();
    else this.#queue = this.#queue.filter((line) => line.seq > this.#acked);
    return !wasPlaced || this.#acked !== before;
  }

  #rewind(): void {
    const { limits, path } = this.#options;
    this.#offset = this.#file.firstByte;
    this.#segments = new OutputSegments(this.#file.firstSeq, this.#offset);
    this.#lines = new OutputLines(limits.outputRate, path);
    this.#queue = [];
    this.#isRead = false;
    if (this.#file.lostBytes > 0) this.#add([this.#lossLine()]);
  }

  /** Empties the file when it has become too long: once the hub has all of it, or else at twice the bound. */
  #bound(): void {
    const { limits, log } = this.#options;
    const seen = this.#file.look();
    if (!seen || seen.size <= limits.outputFileBytes) return;
    const hasAll = this.#isPlaced && this.#queue.length === 0 && seen.end === this.#offset;
    const isOver = seen.size > 2 * limits.outputFileBytes;
    if (!hasAll && !isOver) return;
    // The next line about a loss says what this one would have.
    const unsent = this.#queue.filter((line) => this.#file.lostBytes === 0 || line.seq !== this.#file.firstSeq);
    try {
      if (!this.#file.empty(this.#segments.seq, this.#offset, isOver)) return;
    } catch (error) {
      log(`${this.#options.path} cannot be emptied: ${(error as Error).message}`);
      return;
    }
    if (this.#file.firstByte === this.#offset) return;
    this.#rewind();
    this.#queue = [...unsent, ...this.#queue];
  }

  #lossLine(): OutputLine {
    const megabytes = Math.ceil(this.#file.lostBytes / 1e6);
    const line = `… Up to here ${megabytes.toLocaleString('en')} MB came faster than they could be taken, and are lost.`;
    return { seq: this.#file.firstSeq, at: this.#now(), line };
  }
}
