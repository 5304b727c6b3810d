/** One stream's sender against a hub in memory: what a file's bound does to its lines and their numbers. */
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nack } from '@mealtable/protocol/agent-messages';
import type { OutputBatch, OutputBatchReply, OutputLine } from '@mealtable/protocol/output';
import { agentTunables } from '@mealtable/protocol/tunables';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { OutputSender } from '../../trainer/agent/output-sender.ts';
import { newRunId } from './support/make-grant.ts';
import { waitUntil } from './support/wait-until.ts';

const BOUND = 1_000;
let dir: string;
let path: string;
let stored: OutputLine[];
let isAway: boolean;
let over: AbortController;
let running: Promise<void>[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'output-sender-'));
  path = join(dir, 'output.log');
  stored = [];
  isAway = false;
  answer = null;
  running = [];
});
afterEach(async () => {
  over.abort();
  await Promise.all(running);
  rmSync(dir, { recursive: true });
});

let answer: ((batch: OutputBatch) => OutputBatchReply | Nack) | null;
async function send(batch: OutputBatch): Promise<OutputBatchReply | Nack> {
  return answer?.(batch) ?? store(batch);
}
function store({ after, lines }: OutputBatch): OutputBatchReply {
  if (isAway) return { ok: false, code: 'unavailable', message: 'away' };
  if (after === (stored.at(-1)?.seq ?? 0)) stored.push(...lines);
  return { ok: true, ackedSeq: stored.at(-1)?.seq ?? 0, fenced: false };
}

/** Begins as a new agent does: with nothing but the files. */
function begin(): OutputSender {
  over = new AbortController();
  const sender = new OutputSender({
    path,
    stream: 'stdout',
    ref: { runId: newRunId(), attempt: 1 },
    tunables: () => ({ ...agentTunables, spoolReadMs: 2, maxBatchRecords: 7 }),
    limits: { ...agentLimits, retryFirstMs: 1, retryMaxMs: 2, outputFileBytes: BOUND },
    log: () => {},
    isWanted: () => true,
    send,
    onFenced: () => {},
    onProgress: () => {},
    signal: over.signal,
  });
  running.push(sender.run());
  sender.open();
  return sender;
}
const print = (from: number, to: number) =>
  appendFileSync(path, Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join(''));
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const sizeOf = () => statSync(path).size;

test('a file above its bound is emptied once all of it is stored, and numbers go on, also with another agent', async () => {
  let sender = begin();
  for (let from = 0; from < 1_000; from += 50) {
    print(from, from + 50);
    await waitUntil('they are stored', () => stored.length === from + 50);
    if (from % 300 !== 0) continue;
    over.abort();
    await Promise.all(running);
    sender = begin();
  }
  sender.finish();
  await waitUntil('it is done', () => sender.isDone);
  expect(stored.map(({ line }) => line)).toEqual(names(0, 1_000));
  expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
  expect(sizeOf()).toBeLessThanOrEqual(2 * BOUND);
});

test('with the hub away a file above twice its bound is emptied all the same, and a line says that something is lost', async () => {
  isAway = true;
  const sender = begin();
  print(0, 40);
  await waitUntil('they are read', () => !sender.isDone && sizeOf() > 0);
  for (let round = 0; round < 3; round++) {
    print(40, 400);
    await waitUntil('the file is emptied', () => sizeOf() === 0);
  }
  print(400, 402);
  isAway = false;
  sender.finish();
  await waitUntil('it is done', () => sender.isDone);
  const lines = stored.map(({ line }) => line);
  expect(lines.slice(-3)).toEqual([expect.stringMatching(/^… Up to here 1 MB came faster/), 'line 400', 'line 401']);
  expect(lines.filter((line) => line.startsWith('…'))).toHaveLength(1);
  expect(stored.map(({ seq }) => seq)).toEqual([...new Set(stored.map(({ seq }) => seq))].sort((a, b) => a - b));
});

test('a hub that cannot read a batch is sent no more of this stream, and holds the attempt up no longer', async () => {
  let batches = 0;
  answer = () => {
    batches++;
    return { ok: false, code: 'bad_message', path: 'lines.0', message: 'no' };
  };
  print(0, 3);
  const sender = begin();
  await waitUntil('it is done', () => sender.isDone);
  expect(batches).toBe(1);
});
