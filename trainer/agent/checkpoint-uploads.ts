/**
 * Brings an attempt's checkpoints to the hub, in the order in which they were made, beside the training. Only the latest
 * and the best ones matter: what has been overtaken while it waited is left out, so a long outage cannot fill the disk.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointRecord, LABELS_ENDING } from '@mealtable/protocol/records';
import { UPLOADED_MARK } from '../train/job.ts';
import type { AttemptDir } from './attempt-dir.ts';
import type { BlobClient } from './blob-client.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { makeBackoff, waitFor } from './retry.ts';
import { Wake } from './wake.ts';

export interface CheckpointUploadsOptions {
  dir: AttemptDir;
  blobs: BlobClient;
  limits: AgentLimits;
  log: Log;
  signal: AbortSignal;
}

export class CheckpointUploads {
  readonly #options: CheckpointUploadsOptions;
  readonly #wake = new Wake();
  #pending: CheckpointRecord[] = [];
  /** The latest one that is on the hub; its folder stays until the next has arrived. */
  #arrived: CheckpointRecord | null = null;
  /** Set at the trainer's end: how many refusals by the hub are borne before a checkpoint is given up. */
  #patience = Number.POSITIVE_INFINITY;
  /** Why a checkpoint that matters will never be on the hub. */
  #loss: string | null = null;
  #onIdle: () => void = () => {};

  constructor(options: CheckpointUploadsOptions) {
    this.#options = options;
  }

  add(record: CheckpointRecord): void {
    const folder = this.#folder(record);
    if (existsSync(join(folder, UPLOADED_MARK))) this.#setArrived(record);
    // Without a folder it is from before a restart of the agent, and was dealt with.
    else if (existsSync(folder)) this.#pending.push(record);
    this.#wake.call();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      this.#dropOvertaken();
      const next = this.#pending[0];
      if (next) await this.#bring(next);
      else {
        this.#onIdle();
        await this.#wake.wait(signal);
      }
    }
    this.#onIdle();
  }

  /**
   * Waits until nothing is pending, or for the abort. An unreachable hub is waited for in any case.
   * @param patience refusals by the hub after which a checkpoint is given up
   * @returns why a checkpoint that matters is lost, or null
   */
  async finish(patience: number): Promise<string | null> {
    this.#patience = patience;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#wake.call();
    });
    return this.#loss;
  }

  async #bring(record: CheckpointRecord): Promise<void> {
    const { blobs, limits, log, signal, dir } = this.#options;
    const backoff = makeBackoff(limits);
    let told: string | null = null;
    let refusals = 0;
    for (const file of record.files) {
      for (;;) {
        // Labels lie where every run of this host finds them.
        const keeps = !file.name.endsWith(LABELS_ENDING);
        const result = await blobs.upload(join(this.#folder(record), file.name), file, signal, keeps);
        if (signal.aborted) return;
        if (result.kind === 'stored') break;
        if (result.kind === 'refused') refusals++;
        if (result.kind === 'unusable' || refusals > this.#patience) {
          if (!this.#isOvertaken(record)) this.#loss = result.message;
          log(`${dir.name}: checkpoint ${record.checkpointId} is not uploaded: ${result.message}`);
          this.#remove(record);
          return;
        }
        if (result.message !== told) {
          told = result.message;
          log(`${dir.name}: upload of checkpoint ${record.checkpointId} waits (${result.message}).`);
        }
        await waitFor(backoff.next(), signal);
        if (signal.aborted) return;
        if (this.#isOvertaken(record)) return;
      }
    }
    writeMark(join(this.#folder(record), UPLOADED_MARK));
    this.#pending.shift();
    this.#setArrived(record);
  }

  /** A later one is at hand, and this one is not the best or a later one is better. */
  #isOvertaken(record: CheckpointRecord): boolean {
    const later = this.#pending.slice(this.#pending.indexOf(record) + 1);
    return later.length > 0 && (!record.isBest || later.some((other) => other.isBest));
  }

  #dropOvertaken(): void {
    for (const record of this.#pending.filter((r) => this.#isOvertaken(r))) this.#remove(record);
  }

  #remove(record: CheckpointRecord): void {
    for (const file of record.files) void this.#options.blobs.abandonUpload(file);
    this.#pending = this.#pending.filter((other) => other !== record);
    rmSync(this.#folder(record), { recursive: true, force: true });
  }

  #setArrived(record: CheckpointRecord): void {
    if (this.#arrived) rmSync(this.#folder(this.#arrived), { recursive: true, force: true });
    this.#arrived = record;
  }

  #folder(record: CheckpointRecord): string {
    return this.#options.dir.checkpoint(record.checkpointId);
  }
}

function writeMark(path: string): void {
  try {
    writeFileSync(path, '');
  } catch {
    // Disk full, or the trainer has deleted the folder already: without the mark the hub is asked once more after a restart.
  }
}
