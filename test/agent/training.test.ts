/** Stopping a trainer at the moments that a whole agent seldom meets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentTunables } from '@mealtable/protocol/tunables';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AttemptDir } from '../../trainer/agent/attempt-dir.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { RecordTail } from '../../trainer/agent/record-tail.ts';
import { Training } from '../../trainer/agent/training.ts';
import { makeGrant, makeInput } from './support/make-grant.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agent-training-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Stops the attempt at the last moment before its inputs are complete. */
class LateStop extends BlobClient {
  onFetched: () => void = () => {};
  override async fetchTo(...args: Parameters<BlobClient['fetchTo']>): ReturnType<BlobClient['fetchTo']> {
    const result = await super.fetchTo(...args);
    this.onFetched();
    return result;
  }
}

test('a cancel that comes when the last input has just been verified keeps the trainer from starting', async () => {
  const bytes = Buffer.from('weights');
  const initialisation = makeInput(bytes);
  const grant = makeGrant({ steps: 1, end: 'succeed' }, { initialisation });
  const attempt = new AttemptDir(dir, grant);
  attempt.create(grant);

  const cache = new BlobCache(join(dir, 'blobs'), 1e9);
  writeFileSync(cache.pathOf(initialisation.file), bytes);
  mkdirSync(join(dir, 'toy'));
  const log = () => {};
  const blobs = new LateStop({ hub: 'http://127.0.0.1:9', token: 't', cache, limits: agentLimits, log });
  let started = 0;
  const training = new Training({
    dir: attempt,
    slot: { index: 0, device: null, threads: 1 },
    tail: new RecordTail(attempt.records, () => {}),
    blobs,
    datasets: new Map([['toy', join(dir, 'toy')]]),
    commandFor: () => {
      started++;
      return { program: process.execPath, args: ['-e', ''], env: process.env };
    },
    shim: null,
    tunables: () => agentTunables,
    log,
    monotonicNow: () => performance.now(),
    onRecords: () => {},
    signal: new AbortController().signal,
  });
  blobs.onFetched = () => training.stop({ kind: 'cancelled' });
  expect(await training.run()).toMatchObject({ outcome: 'cancelled' });
  expect(started).toBe(0);
});
