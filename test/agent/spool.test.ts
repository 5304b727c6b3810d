/** The spool against a hub that forgets, refuses, loses answers and asks for other places: every record once, in order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { RecordBatch, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import { agentTunables } from '@mealtable/protocol/tunables';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cutRecordsFrom } from '../../trainer/agent/cut-records.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { type BadRecord, Spool, type SpoolOptions } from '../../trainer/agent/spool.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { newRunId } from './support/make-grant.ts';
import { waitUntil } from './support/wait-until.ts';

const ref = { runId: newRunId(), attempt: 1 };
let dir: string;
let path: string;
let over: AbortController;
let running: Promise<void>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spool-'));
  path = join(dir, 'records.jsonl');
  over = new AbortController();
});
afterEach(async () => {
  over.abort();
  await running;
  rmSync(dir, { recursive: true });
});

type Line = { seq: number; line: string };

function makeSpool(options: Partial<SpoolOptions>): Spool {
  const spool = new Spool({
    path,
    ref,
    tunables: () => ({ ...agentTunables, maxBatchRecords: 5, maxBatchBytes: 700 }),
    limits: { ...agentLimits, retryFirstMs: 1, retryMaxMs: 2 },
    log: () => {},
    send: async () => null,
    onAcked: () => {},
    onFenced: () => {},
    onBadRecord: () => {},
    signal: over.signal,
    ...options,
  });
  running = spool.run();
  return spool;
}

function writeLines(count: number, firstNumber = 1): void {
  const writer = RecordWriter.open(path);
  for (let i = 0; i < count; i++) writer.log('info', `line ${firstNumber + i} ${'x'.repeat((i * 37) % 200)}`);
  writer.close();
}

test.for([1, 2, 3, 4])('P9, P10: faults of every kind, seed %i', async (seed) => {
  const rng = Rng.seeded(seed);
  const stored: Line[] = [];
  const store = ({ records }: RecordBatch): RecordBatchReply => {
    const fresh = (records as Line[]).filter((r) => r.seq > stored.length);
    if (fresh[0] && fresh[0].seq !== stored.length + 1)
      return { ok: false, code: 'resend_from', seq: stored.length + 1 };
    stored.push(...fresh);
    return { ok: true, ackedSeq: stored.length, fenced: false };
  };
  let inFlight = 0;
  const spool = makeSpool({
    send: async (batch) => {
      expect(++inFlight).toBe(1);
      expect(batch.records.length).toBeLessThanOrEqual(5);
      await turn();
      inFlight--;
      const luck = rng.uniform();
      if (luck < 0.1) return null; // the batch is lost
      if (luck < 0.15) return { ok: false, code: 'unavailable', message: 'away' };
      if (luck < 0.2) stored.length = Math.floor(stored.length * 0.7); // restored from a backup
      const reply = store(batch);
      if (luck > 0.9) return null; // the answer is lost
      if (luck > 0.85) {
        spool.close();
        setImmediate(() => spool.open(stored.length));
      }
      return reply;
    },
  });
  spool.open(0);
  for (let written = 0; written < 300; written += 20) {
    writeLines(20, written + 1);
    spool.wake();
    await turn();
  }
  await waitUntil('all is acked', () => {
    spool.wake();
    return spool.acked === 300;
  });
  expect(stored.map((r) => r.seq)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  stored.forEach((r, i) => {
    expect(r.line).toMatch(new RegExp(`^line ${i + 1} `));
  });
});

test('P5: nothing is sent before the hub knows the attempt, and nothing that it has already', async () => {
  writeLines(10);
  const seen: number[] = [];
  const spool = makeSpool({
    send: async ({ records }) => {
      seen.push(...(records as Line[]).map((r) => r.seq));
      return { ok: true, ackedSeq: seen.at(-1)!, fenced: false };
    },
  });
  spool.wake();
  await turn();
  expect(seen).toEqual([]);
  spool.open(7);
  await waitUntil('the rest is sent', () => spool.acked === 10);
  expect(seen).toEqual([8, 9, 10]);
});

test('P12: a record that the hub cannot read is singled out, and the file goes on from there after a cut', async () => {
  writeLines(9);
  const stored: Line[] = [];
  const faults: BadRecord[] = [];
  const spool = makeSpool({
    send: async ({ records }) => {
      const bad = (records as Line[]).findIndex((r) => r.line.startsWith('line 7 '));
      if (bad >= 0) return { ok: false, code: 'bad_record', path: `records.${bad}.line`, message: 'no' };
      stored.push(...(records as Line[]));
      return { ok: true, ackedSeq: stored.length, fenced: false };
    },
    onBadRecord: (fault) => faults.push(fault),
  });
  spool.open(0);
  await waitUntil('the fault is found', () => faults.length === 1);
  expect(faults[0]).toMatchObject({ seq: 7, path: 'records.0.line' });
  expect(stored).toHaveLength(6);
  spool.wake();
  await turn();
  expect(faults).toHaveLength(1);

  cutRecordsFrom(path, 7);
  writeLines(1, 100);
  spool.restart();
  await waitUntil('it goes on', () => stored.length === 7);
  expect(stored[6]).toMatchObject({ seq: 7, line: expect.stringMatching(/^line 100 /) });
});

test('P6: after a fence nothing more is sent', async () => {
  writeLines(20);
  let sent = 0;
  let fenced = 0;
  const spool = makeSpool({
    send: async () => {
      sent++;
      return { ok: true, ackedSeq: 0, fenced: true };
    },
    onFenced: () => fenced++,
  });
  spool.open(0);
  await waitUntil('it is told', () => fenced === 1);
  spool.open(0);
  spool.wake();
  await turn();
  expect(sent).toBe(1);
});

test.for([1, 2, 5, 9])('cutting at record %i leaves exactly those before it', (seq) => {
  running = Promise.resolve();
  writeLines(9);
  cutRecordsFrom(path, seq);
  const writer = RecordWriter.open(path);
  expect(writer.lastSeq).toBe(seq - 1);
  writer.close();
});
