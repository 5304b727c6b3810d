/** Several real processes on one cache, some of them killed while they write. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { PROCESS_KEY, PROCESS_VIEWS } from './process-key.ts';
import { IMAGE_COUNT, labelsOf, range, segmentsOf, storedLabelsOf, withFolder } from './support.ts';

const PROGRAM = join(import.meta.dirname, 'writer-process.ts');
const FOREVER = 1e9;

interface Writer {
  process: ChildProcess;
  /** Its first block is written, or it ended. */
  writing: Promise<unknown>;
  ended: Promise<{ code: number | null; signal: string | null; said: string }>;
}

function startWriter(folder: string, seed: number, rounds: number): Writer {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, folder, String(seed), String(rounds)]);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, said }));
  return { process: child, writing: Promise.race([once(child.stdout, 'data'), ended]), ended };
}

/** Everything that is in the cache must be right; fills what is missing and looks again. */
function expectRightThenFill(folder: string): void {
  const cache = openLabelCache(folder, PROCESS_KEY, { writable: true });
  try {
    for (const view of range(PROCESS_VIEWS)) {
      const [places, views] = [range(IMAGE_COUNT), range(IMAGE_COUNT).map(() => view)];
      const { missing } = cache.lookup(places, views);
      const missed = missing.map(() => view);
      if (missing.length > 0) cache.append(missing, missed, labelsOf(PROCESS_KEY, missing, missed));
      expect(cache.lookup(places, views)).toEqual({ ...storedLabelsOf(PROCESS_KEY, places, views), missing: [] });
    }
    expect(cache.coverage(PROCESS_VIEWS).labelled).toBe(PROCESS_VIEWS * IMAGE_COUNT);
    expect(cache.verify().damagedRecords).toEqual([]);
  } finally {
    cache.close();
  }
}

test('processes that fill a cache at once give each other right labels only', async () => {
  await withFolder(async (folder) => {
    const writers = range(3).map((seed) => startWriter(folder, seed, 60));
    for (const { ended } of writers) expect(await ended).toEqual({ code: 0, signal: null, said: '' });
    expect(segmentsOf(folder, PROCESS_KEY)).toHaveLength(3);
    expectRightThenFill(folder);
  });
});

test('processes killed at any moment cost their last block at most, and the others nothing', async () => {
  await withFolder(async (folder) => {
    const rng = Rng.seeded(4);
    const steady = startWriter(folder, 100, FOREVER);
    try {
      await steady.writing;
      const victims = range(4).map((seed) => startWriter(folder, seed, FOREVER));
      await Promise.all(
        victims.map(async ({ process, writing, ended }) => {
          await writing;
          await sleep(rng.integer(150));
          process.kill('SIGKILL');
          expect(await ended).toEqual({ code: null, signal: 'SIGKILL', said: '' });
        }),
      );
      expect(steady.process.exitCode).toBeNull();
    } finally {
      steady.process.kill('SIGKILL');
    }
    expect((await steady.ended).said).toBe('');
    const segments = segmentsOf(folder, PROCESS_KEY);
    expect(segments).toHaveLength(5);
    const reader = openLabelCache(folder, PROCESS_KEY, { writable: false });
    // What is not a whole block can only be the end of a segment.
    const largestBlock = 40 * (8 + 1000) + 64;
    for (const { unreadableBytes } of reader.verify().segments) expect(unreadableBytes).toBeLessThan(largestBlock);
    reader.close();
    expectRightThenFill(folder);
  });
});

test('where a file cannot grow, the block that did not fit is cut off again and a smaller one still goes in', async () => {
  await withFolder((folder) => {
    const program = join(import.meta.dirname, 'full-disk-process.ts');
    // The limit on the size of files stands for a full disk: both end a write half-way.
    const command = [process.execPath, '--import', 'tsx', program, folder];
    const output = execFileSync('sh', ['-c', 'ulimit -f 300 && exec "$@"', 'sh', ...command], { encoding: 'utf8' });
    const { blocks, ...rest } = JSON.parse(output) as { blocks: number };
    expect(rest).toEqual({ code: 'EFBIG', isFound: true, isRight: true, unstored: 'EFBIG' });
    expect(blocks).toBeGreaterThan(2);
    const reader = openLabelCache(folder, PROCESS_KEY, { writable: false });
    const { intactRecords, damagedRecords, segments } = reader.verify();
    reader.close();
    expect({ intactRecords, damagedRecords }).toEqual({ intactRecords: 20 * blocks + 1, damagedRecords: [] });
    expect(segments.map(({ unreadableBytes }) => unreadableBytes)).toEqual([0]);
  });
});
