/** Output on its way into the database: each line once, whatever is sent again, and with the run's own fences. */

import type { RunOutputEvent } from '@mealtable/protocol/live-messages';
import type { OutputLine, OutputStream } from '@mealtable/protocol/output';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { appendOutput } from '../../server/output/store.ts';
import { removeStudy } from '../../server/studies/manage.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  ScriptedAttempt,
  started,
} from '../support/core.ts';

let core: Core;
let hostId: string;
let runId: string;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(async () => {
  await core.reset();
  hostId = await addHost(core.hub);
  await addStudy(core.hub);
  ({ runId } = await claimOne(core.hub, hostId));
});

const T = 1_700_000_000_000;
const line = (seq: number, text = `line ${seq}`, at = T + seq): OutputLine => ({ seq, at, line: text });
const send = (after: number, lines: OutputLine[], stream: OutputStream = 'stdout', attempt = 1) =>
  appendOutput(core.hub, { runId, attempt, stream, after, lines });
async function stored(stream: OutputStream = 'stdout', attempt = 1): Promise<[number, string][]> {
  const rows = await core.hub.db.outputLine.findMany({ where: { runId, stream, attempt }, orderBy: { seq: 'asc' } });
  return rows.map((row) => [row.seq, row.line]);
}

test('P10a: what follows on the mark is stored and told, all else is answered with the mark', async () => {
  const told: RunOutputEvent[] = [];
  core.hub.bus.on('run:output', (event) => told.push(event));
  expect(await send(0, [])).toEqual({ ok: true, ackedSeq: 0, fenced: false });
  expect(await send(0, [line(1), line(4)])).toEqual({ ok: true, ackedSeq: 4, fenced: false });
  expect(await send(0, [line(1), line(4)]), 'again').toEqual({ ok: true, ackedSeq: 4, fenced: false });
  expect(await send(0, [line(1), line(4), line(5)]), 'again with more').toEqual({
    ok: true,
    ackedSeq: 4,
    fenced: false,
  });
  expect(await send(7, [line(8)]), 'a gap').toEqual({ ok: true, ackedSeq: 4, fenced: false });
  expect(await send(4, [line(5)])).toEqual({ ok: true, ackedSeq: 5, fenced: false });
  expect(await send(0, [line(1, 'other')], 'stderr')).toEqual({ ok: true, ackedSeq: 1, fenced: false });
  expect(await stored()).toEqual([1, 4, 5].map((seq) => [seq, `line ${seq}`]));
  expect(told.map(({ stream, lines }) => [stream, lines.map(({ seq }) => seq)])).toEqual([
    ['stdout', [1, 4]],
    ['stdout', [5]],
    ['stderr', [1]],
  ]);
});

test('two deliveries at once store once', async () => {
  const replies = await Promise.all(Array.from({ length: 8 }, () => send(0, [line(1), line(2)])));
  for (const reply of replies) expect(reply).toMatchObject({ ok: true, ackedSeq: 2 });
  expect(await stored()).toHaveLength(2);
});

test('a bar that moves is one row: each state takes the place of the last', async () => {
  await send(0, [line(1, 'begin'), line(3, '10%\r')]);
  await send(3, [line(6, '40%\r'), line(9, '60%\r')]);
  expect(await stored()).toEqual([
    [1, 'begin'],
    [9, '60%\r'],
  ]);
  expect(await send(3, [line(6, '40%\r')]), 'late').toMatchObject({ ackedSeq: 9 });
  await send(9, [line(10, 'done')]);
  expect(await stored()).toEqual([
    [1, 'begin'],
    [10, 'done'],
  ]);
});

test('times of a stream never go back, and NUL costs no line', async () => {
  await send(0, [line(1, 'a', T + 500), line(2, 'b\0', T + 100)]);
  await send(2, [line(3, 'c', T)]);
  const rows = await core.hub.db.outputLine.findMany({ where: { runId }, orderBy: { seq: 'asc' } });
  expect(rows.map((row) => row.at.getTime())).toEqual([T + 500, T + 500, T + 500]);
  expect(rows[1]?.line).toBe('b\uFFFD');
});

test('P6: a stale attempt hears that it is fenced, and its lines are kept; one that has ended goes on', async () => {
  const first = new ScriptedAttempt(core.hub, { runId, attempt: 1 });
  await first.send(started(), ended({ outcome: 'interrupted' }));
  expect(await send(0, [line(1)]), 'after its end').toMatchObject({ ackedSeq: 1, fenced: false });
  await claimOne(core.hub, hostId);
  expect(await send(1, [line(2)])).toEqual({ ok: true, ackedSeq: 2, fenced: true });
  expect(await stored()).toHaveLength(2);
  expect(await send(0, [line(1)], 'stdout', 2)).toMatchObject({ ackedSeq: 1, fenced: false });
});

test('of a run that was removed nothing is kept, and the agent need not send it again', async () => {
  await send(0, [line(1)]);
  const { studyId } = await core.hub.db.run.findUniqueOrThrow({ where: { id: runId } });
  await core.hub.db.run.updateMany({ data: { status: 'cancelled', hostId: null } });
  await removeStudy(core.hub, studyId);
  expect(await send(1, [line(2)])).toEqual({ ok: true, ackedSeq: 2, fenced: true });
  expect(await core.hub.db.outputLine.count()).toBe(0);
});

test('a database that is away is said, and nothing is acknowledged', async () => {
  const broken = {
    ...core.hub,
    pool: { connect: () => Promise.reject(new Error('gone')) },
  } as unknown as typeof core.hub;
  const reply = await appendOutput(broken, { runId, attempt: 1, stream: 'stdout', after: 0, lines: [line(1)] });
  expect(reply).toMatchObject({ ok: false, code: 'unavailable' });
});
