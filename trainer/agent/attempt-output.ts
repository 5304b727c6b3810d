/** Both streams of an attempt's output, on their way to the hub. */
import type { AttemptRef, Nack } from '@mealtable/protocol/agent-messages';
import { OUTPUT_STREAMS, type OutputBatch, type OutputBatchReply } from '@mealtable/protocol/output';
import type { AgentTunables } from '@mealtable/protocol/tunables';
import type { AttemptDir } from './attempt-dir.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { OutputSender } from './output-sender.ts';

export interface AttemptOutputOptions {
  dir: AttemptDir;
  ref: AttemptRef;
  tunables: () => AgentTunables;
  limits: AgentLimits;
  log: Log;
  isWanted: () => boolean | null;
  send: (batch: OutputBatch) => Promise<OutputBatchReply | Nack | null>;
  onFenced: () => void;
  onProgress: () => void;
  signal: AbortSignal;
}

export class AttemptOutput {
  readonly #senders: OutputSender[];

  constructor({ dir, ...options }: AttemptOutputOptions) {
    this.#senders = OUTPUT_STREAMS.map((stream) => new OutputSender({ ...options, stream, path: dir.output(stream) }));
  }

  get isDone(): boolean {
    return this.#senders.every((sender) => sender.isDone);
  }
  open(): void {
    for (const sender of this.#senders) sender.open();
  }
  close(): void {
    for (const sender of this.#senders) sender.close();
  }
  /** The trainer is gone, with everything it left. */
  finish(): void {
    for (const sender of this.#senders) sender.finish();
  }
  async run(): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.run()));
  }
}
