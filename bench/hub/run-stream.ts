/**
 * One simulated running run: a trainer that writes a record every so often, and the agent's spool, which looks for new ones at the
 * interval that the hub asked for, has one batch in flight, and sends at once what came while it waited for the ack.
 */
import type { AttemptRef, RecordBatch, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { AttemptRecord } from '@mealtable/protocol/records';
import type { AgentTunables } from '@mealtable/protocol/tunables';

export type SendBatch = (batch: RecordBatch) => Promise<RecordBatchReply>;

export interface Timings {
  /** Milliseconds from the send of a batch to its ack. */
  acks: number[];
  /** Milliseconds from the writing of a batch's oldest record to its ack. */
  ages: number[];
}

export interface Pace {
  recordsPerS: number;
  metricsPerRecord: number;
}

/** Value `i` of the record `seq`: exact in binary, so the database can be asked whether it has this very number. */
export const numberOf = (seq: number, i: number) => seq + i / 4;
const STEPS_PER_EPOCH = 100;

export class RunStream {
  readonly #ref: AttemptRef;
  readonly #pace: Pace;
  readonly #tunables: AgentTunables;
  readonly #send: SendBatch;
  readonly #timings: Timings;
  readonly #names: readonly string[];
  #begunAt = 0;
  #endedAt = Number.POSITIVE_INFINITY;
  #acked = 0;
  #poll: NodeJS.Timeout | undefined;
  #sending: Promise<void> | null = null;
  #onFault: (error: Error) => void = () => {};

  constructor(ref: AttemptRef, pace: Pace, tunables: AgentTunables, send: SendBatch, timings: Timings) {
    this.#ref = ref;
    this.#pace = pace;
    this.#tunables = tunables;
    this.#send = send;
    this.#timings = timings;
    this.#names = Array.from({ length: pace.metricsPerRecord }, (_, i) => `train/metric_${i}`);
  }

  get ref(): AttemptRef {
    return this.#ref;
  }
  /** Sequence number of the last record that the hub has. */
  get acked(): number {
    return this.#acked;
  }

  /** @param onFault hears of a batch that the hub did not take */
  start(onFault: (error: Error) => void): void {
    this.#onFault = onFault;
    this.#begunAt = performance.now();
    this.#poll = setInterval(() => this.#wake(), this.#tunables.spoolReadMs);
    this.#wake();
  }

  /** Writes no more, and brings over what was written. @returns records in all */
  async finish(): Promise<number> {
    this.#endedAt = performance.now();
    clearInterval(this.#poll);
    await this.#sending;
    this.#wake();
    await this.#sending;
    return this.#written();
  }

  /** The record `started`, then one every so often. */
  #written(): number {
    const elapsedMs = Math.min(performance.now(), this.#endedAt) - this.#begunAt;
    return 1 + Math.floor((elapsedMs / 1000) * this.#pace.recordsPerS);
  }

  #wake(): void {
    if (this.#sending !== null || this.#written() === this.#acked) return;
    this.#sending = this.#sendAll()
      .catch(this.#onFault)
      .finally(() => {
        this.#sending = null;
      });
  }

  async #sendAll(): Promise<void> {
    for (let written = this.#written(); written > this.#acked; written = this.#written()) {
      const first = this.#acked + 1;
      const count = Math.min(written - this.#acked, this.#tunables.maxBatchRecords);
      const records = Array.from({ length: count }, (_, i) => this.#record(first + i));
      const sentAt = performance.now();
      const reply = await this.#send({ ...this.#ref, records });
      const now = performance.now();
      if (!reply.ok || reply.fenced || reply.ackedSeq !== first + count - 1)
        throw new Error(`The hub answered ${JSON.stringify(reply)} to the records ${first} to ${first + count - 1}.`);
      this.#acked = reply.ackedSeq;
      this.#timings.acks.push(now - sentAt);
      this.#timings.ages.push(now - this.#writtenAt(first));
    }
  }

  #writtenAt(seq: number): number {
    return this.#begunAt + ((seq - 1) * 1000) / this.#pace.recordsPerS;
  }

  #record(seq: number): AttemptRecord {
    const at = Math.round(performance.timeOrigin + this.#writtenAt(seq));
    if (seq === 1)
      return {
        ...{ seq, at, kind: 'started', stepsCompleted: 0, stepsPerEpoch: STEPS_PER_EPOCH, totalSteps: 1_000_000 },
        ...{ backend: 'bench', device: 'none', parameterCount: 1 },
      };
    const values = Object.fromEntries(this.#names.map((name, i) => [name, numberOf(seq, i)]));
    return { seq, at, kind: 'metrics', step: seq - 1, epoch: (seq - 1) / STEPS_PER_EPOCH, values };
  }
}
