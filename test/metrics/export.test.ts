import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tender } from '../../server/metrics/compact/tend.ts';
import { toCsv, toJsonLines } from '../../server/metrics/export/csv.ts';
import { toParquet } from '../../server/metrics/export/parquet.ts';
import type { ExportedPage } from '../../server/metrics/export/records.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { addHost, addStudy, makeDesign, metrics, ScriptedAttempt, started } from '../support/core.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';

const STEPS = 2_500;
let hub: TestHub;
let viewer: TestMember;
let studyId: string;
let runs: string[];

const lossAt = (step: number) => (step === 7 ? 'NaN' : step === 8 ? 'Infinity' : step === 9 ? '-Infinity' : step / 3);

/** Two runs of a study: the first long, part of it in segments; the second short. */
beforeAll(async () => {
  hub = await startTestHub();
  viewer = await hub.addMember('viewer');
  const hostId = await addHost(hub.hub);
  studyId = await addStudy(hub.hub, makeDesign());
  const grants = await claimRuns(hub.hub, hostId, 2);
  runs = grants.map(({ runId }) => runId);
  const tender = new Tender(hub.hub);
  for (const [i, grant] of grants.entries()) {
    const trainer = new ScriptedAttempt(hub.hub, grant);
    await trainer.send(started());
    for (let step = 1; step <= (i === 0 ? STEPS : 3); ) {
      const batch = [];
      for (; step <= (i === 0 ? STEPS : 3) && batch.length < 400; step++)
        batch.push(
          trainer.number(metrics(step, { 'train/loss': lossAt(step), ...(step % 1_000 ? {} : { 'val/top1': step }) })),
        );
      await appendRecords(hub.hub, grant.runId, grant.attempt, batch);
      if (step > 1_500 && step < 2_000) await tender.tend(1e9);
    }
  }
  tender.close();
});
afterAll(() => hub.close());

const download = async (path: string) => {
  const reply = await fetch(`${hub.url}/api/${path}`, { headers: { cookie: viewer.cookie } });
  return { reply, bytes: Buffer.from(await reply.arrayBuffer()) };
};

interface Point {
  run: string;
  step: number;
  metric: string;
  value: number;
}
const expected = (): Point[] =>
  runs.flatMap((run, i) =>
    Array.from({ length: i === 0 ? STEPS : 3 }, (_, at) => at + 1).flatMap((step) => [
      { run, step, metric: 'train/loss', value: Number(lossAt(step)) },
      ...(step % 1_000 ? [] : [{ run, step, metric: 'val/top1', value: step }]),
    ]),
  );
const sorted = (points: Point[]) =>
  points.sort((a, b) => runs.indexOf(a.run) - runs.indexOf(b.run) || a.step - b.step || (a.metric < b.metric ? -1 : 1));

test('a study as CSV has every point of every run, and NaN and infinities by name', async () => {
  const { reply, bytes } = await download(`studies/${studyId}/metrics/csv`);
  expect(reply.headers.get('content-disposition')).toBe('attachment; filename="study-metrics.csv"');
  const [head, ...lines] = bytes.toString().trimEnd().split('\n');
  expect(head).toBe('run,variant,seed,attempt,seq,step,epoch,time,metric,value');
  expect(lines.find((line) => line.includes(',7,0.7,'))).toMatch(
    /^run_\w+,[^,]+,1,1,8,7,0.7,2023-11-14T22:13:20.008Z,train\/loss,NaN$/,
  );
  const points = lines.map((line) => {
    const cells = line.split(',');
    return { run: cells[0]!, step: Number(cells[5]), metric: cells[8]!, value: Number(cells[9]) };
  });
  expect(sorted(points)).toEqual(expected());
});

test('a run as JSON Lines has every record of it', async () => {
  const { bytes } = await download(`runs/${runs[0]}/metrics/jsonl`);
  const records = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 2));
  expect(records[8]).toMatchObject({
    run: runs[0],
    attempt: 1,
    step: 9,
    epoch: 0.9,
    values: { 'train/loss': '-Infinity' },
  });
  expect(records[999]).toMatchObject({ values: { 'train/loss': 1_000 / 3, 'val/top1': 1_000 } });
});

test('a study as Parquet has every point, to the last bit', async () => {
  const { bytes } = await download(`studies/${studyId}/metrics/parquet`);
  const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
  expect(sorted(rows.map(({ run, step, metric, value }) => ({ run, step, metric, value }) as Point))).toEqual(
    expected(),
  );
  expect(rows[0]).toMatchObject({ seed: 1, attempt: 1, seq: 2, epoch: 0.1, time: new Date(1_700_000_000_002) });
});

test('what is not there is said so, with the formats that are', async () => {
  const { reply, bytes } = await download(`runs/${runs[0]}/metrics/xlsx`);
  expect([reply.status, bytes.toString()]).toEqual([404, expect.stringContaining('csv, jsonl, parquet')]);
  expect((await download('runs/run_x/metrics/csv')).reply.status).toBe(404);
});

async function gather<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

test('names that a spreadsheet would calculate are text, and a file without points is a file', async () => {
  async function* pages(): AsyncGenerator<ExportedPage> {
    const record = { attempt: 1, seq: 2, step: 1, epoch: 1, at: 0, series: [1], values: [-1] };
    const run = { id: 'run_1', study: 's', variant: '=HYPERLINK("x"),1', seed: 1 };
    yield { run, names: new Map([[1, 'train/loss']]), records: [record] };
  }
  const text = async (parts: AsyncIterable<string>) => (await gather(parts)).join('');
  expect(await text(toCsv(pages()))).toContain(
    `run_1,"'=HYPERLINK(""x""),1",1,1,2,1,1,1970-01-01T00:00:00.000Z,train/loss,-1\n`,
  );
  async function* nothing(): AsyncGenerator<ExportedPage> {}
  expect(await text(toJsonLines(nothing()))).toBe('');
  const empty = Buffer.concat(await gather(toParquet(nothing())));
  expect(await parquetReadObjects({ file: new Uint8Array(empty).buffer })).toEqual([]);
});
