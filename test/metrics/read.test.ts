import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lastLogLines, metricsAfter } from '../../server/metrics/read.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  logLine,
  makeCheckpoint,
  metrics,
  ScriptedAttempt,
  started,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
let runId: string;

/** Two attempts: seq 2..11 of the first (lines on even, points on odd), the second from step 5. */
beforeAll(async () => {
  core = await createCore();
  const { hub } = core;
  const hostId = await addHost(hub);
  await addStudy(hub);
  const first = new ScriptedAttempt(hub, await claimOne(hub, hostId));
  runId = first.runId;
  const checkpoint = makeCheckpoint(hub, 5, null);
  await first.send(started());
  for (let step = 1; step <= 5; step++) await first.send(logLine(`a${step}`), metrics(step, { 'train/loss': step }));
  await first.send(checkpoint.record);
  await uploadCheckpoint(hub, checkpoint);
  await first.send(ended({ outcome: 'interrupted' }));
  const second = new ScriptedAttempt(hub, await claimOne(hub, hostId));
  await second.send(started(5));
  for (let step = 6; step <= 8; step++) await second.send(logLine(`b${step}`), metrics(step, { 'val/top1': step }));
});
afterAll(() => core.close());

describe('points by cursor', () => {
  test('pages follow each other over attempts without a gap or a repetition', async () => {
    const { hub } = core;
    for (const limit of [1, 2, 3, 7, 8, 100]) {
      const steps: number[] = [];
      let pages = 0;
      for (let cursor = null as Awaited<ReturnType<typeof metricsAfter>>['next']; ; ) {
        const page = await metricsAfter(hub.pool, runId, cursor, limit);
        steps.push(...page.points.map((p) => p.step));
        pages++;
        expect(page.points.length).toBeLessThanOrEqual(limit);
        cursor = page.next;
        if (cursor === null) break;
      }
      expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(pages).toBe(Math.ceil(8 / limit));
    }
  });

  test('from a cursor, only what is newer, with its own metric names', async () => {
    const page = await metricsAfter(core.hub.pool, runId, { attempt: 1, seq: 11 }, 10);
    expect(page.points.map((p) => [p.attempt, p.step, p.values])).toEqual([
      [2, 6, { 'val/top1': 6 }],
      [2, 7, { 'val/top1': 7 }],
      [2, 8, { 'val/top1': 8 }],
    ]);
    expect(page.next).toBeNull();
  });

  test('a run without points has an empty page', async () => {
    expect(await metricsAfter(core.hub.pool, core.hub.ids('run'), null, 10)).toEqual({ points: [], next: null });
  });
});

describe('log lines', () => {
  test('the end of what each attempt printed', async () => {
    const last = await lastLogLines(core.hub.pool, runId, [1, 2, 3], 2);
    expect([...last]).toEqual([
      [1, ['a4', 'a5']],
      [2, ['b7', 'b8']],
      [3, []],
    ]);
  });

  test('what the process printed counts with it, by time and without colours', async () => {
    const line = { runId, attempt: 2, seq: 1 };
    const late = new Date(1_700_000_001_000);
    await core.hub.db.outputLine.create({
      data: { ...line, stream: 'stderr', at: late, line: '\u001b[31mboom\u001b[0m' },
    });
    await core.hub.db.outputLine.create({
      data: { ...line, stream: 'stdout', at: new Date(1_600_000_000_000), line: 'early' },
    });
    expect((await lastLogLines(core.hub.pool, runId, [2], 3)).get(2)).toEqual(['b7', 'b8', 'boom']);
  });
});
