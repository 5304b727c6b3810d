/**
 * Takes a sample every few seconds and sends it. Telemetry is the one thing that an agent may lose: no result depends on it, and writing
 * it to the disk would cost the training more than a gap in a picture does. So it waits in memory, and only the last ones do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Nack } from '@mealtable/protocol/agent-messages';
import {
  type HostSample,
  MAX_SAMPLE_BATCH,
  SAMPLE_WIDTHS_S,
  type SampleBatch,
  type SampleReply,
} from '@mealtable/protocol/telemetry';
import type { Log } from '../log.ts';
import { waitFor } from '../retry.ts';

/** How long samples wait for the hub. */
export const SAMPLE_BACKLOG_MS = 15 * 60_000;

export interface SamplerOptions {
  measure: () => Promise<HostSample>;
  send: (batch: SampleBatch) => Promise<SampleReply | Nack | null>;
  sampleMs: () => number;
  /** Older ones are dropped. */
  backlogMs: number;
  log: Log;
  /** Milliseconds that only ever grow. */
  monotonicNow: () => number;
}

interface Waiting {
  sample: HostSample;
  /** On the growing clock. */
  takenMs: number;
  /** On the hub's clock, set with the first sending and never changed: the hub knows a second delivery by it. */
  at: number | null;
}

export class Sampler {
  readonly #options: SamplerOptions;
  #waiting: Waiting[] = [];
  /** The hub's clock less the growing one; null while there is no connection. */
  #hubOffsetMs: number | null = null;
  #isSending = false;
  #hasToldRefusal = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** The hub has answered the hello, and its clock says this now. */
  open(hubNow: number): void {
    this.#hubOffsetMs = hubNow - this.#options.monotonicNow();
    void this.#send();
  }
  /** The connection is gone: before the next hello the hub takes nothing. */
  close(): void {
    this.#hubOffsetMs = null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { sampleMs, monotonicNow } = this.#options;
    for (;;) {
      // At even times, so that as many fall into every minute.
      await waitFor(sampleMs() - (monotonicNow() % sampleMs()), signal);
      if (signal.aborted) return;
      const sample = await this.#options.measure();
      const takenMs = monotonicNow();
      this.#waiting.push({ sample, takenMs, at: null });
      this.#waiting = this.#waiting.filter((each) => takenMs - each.takenMs < this.#options.backlogMs);
      void this.#send();
    }
  }

  /** Sends what waits, a batch at a time, until all is there or the hub does not answer. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.length > 0 && this.#hubOffsetMs !== null) {
      const batch = this.#waiting.slice(0, MAX_SAMPLE_BATCH);
      for (const each of batch) each.at ??= Math.round(each.takenMs + this.#hubOffsetMs);
      const reply = await this.#options.send({
        widthS: SAMPLE_WIDTHS_S.find((width) => width * 1000 >= this.#options.sampleMs()) ?? 30,
        samples: batch.map(({ sample, at }) => ({ ...sample, at: at! })),
      });
      if (reply === null) break;
      if (!reply.ok) this.#tellRefusal(reply);
      const done = new Set(batch);
      this.#waiting = this.#waiting.filter((each) => !done.has(each));
      // A long backlog does not hold up records and heartbeats.
      await sleep(0);
    }
    this.#isSending = false;
  }

  #tellRefusal({ path, message }: Nack): void {
    if (!this.#hasToldRefusal) this.#options.log(`The hub refused samples of this host: ${path}: ${message}`);
    this.#hasToldRefusal = true;
  }
}
