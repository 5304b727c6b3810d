/** Follows a record file while a trainer writes it, for what the agent itself must know: checkpoints and progress. */
import type { AttemptRecord, CheckpointRecord, EndedRecord } from '@mealtable/protocol/records';
import { readGoodRecords } from './read-good-records.ts';

export class RecordTail {
  readonly #path: string;
  readonly #onCheckpoint: (record: CheckpointRecord) => void;
  #offset = 0;
  #lastSeq = 0;
  #ended: EndedRecord | null = null;
  #fault: Error | null = null;

  constructor(path: string, onCheckpoint: (record: CheckpointRecord) => void) {
    this.#path = path;
    this.#onCheckpoint = onCheckpoint;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }
  /** The attempt's last record, once somebody wrote it. */
  get ended(): EndedRecord | null {
    return this.#ended;
  }
  /** Why the record after `lastSeq` cannot be read, now or ever. */
  get fault(): Error | null {
    return this.#fault;
  }

  /** Reads what is new, a chunk at a call. True when there was something. */
  read(): boolean {
    if (this.#fault) return false;
    const { records, nextOffset, fault } = readGoodRecords(this.#path, this.#offset);
    for (const record of records) this.#take(record);
    this.#offset = nextOffset;
    this.#fault = fault;
    return records.length > 0;
  }

  #take(record: AttemptRecord): void {
    this.#lastSeq = record.seq;
    if (record.kind === 'checkpoint') this.#onCheckpoint(record);
    if (record.kind === 'ended') this.#ended = record;
  }
}
