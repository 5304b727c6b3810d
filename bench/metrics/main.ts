/**
 * What stored metrics take on disk, in three layouts, and how long charts take to read them: one series of a million points in 1,000
 * buckets, parts of it, and one metric of a hundred runs. On a Postgres of its own, with its usual settings, asked by the
 * hub's own code. Run: `npm run bench:metrics`. The last line of the output is JSON; the exit code says whether the bars are met.
 */
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { encodeChart } from '@mealtable/protocol/chart-wire';
import pg from 'pg';
import { openDatabase } from '../../server/db.ts';
import { readChart } from '../../server/metrics/chart/read-chart.ts';
import { encodeSegment } from '../../server/metrics/codec/segment.ts';
import { insertSegment } from '../../server/metrics/rows.ts';
import { startEmbeddedPostgres } from '../../server/postgres/embedded.ts';
import { migrateDatabase } from '../../server/postgres/migrate.ts';
import { makeDataDir, removeDataDir } from '../../test/support/hub-process.ts';
import { measureLayouts } from './layouts.ts';

const BAR = { millionMs: 30, bytesPerPoint: 12 };
const MILLION = 1_000_000;
const [RUNS, STEPS] = [100, 10_000];
const SEGMENT_RECORDS = 8_192;
const METRICS = 8;
const ROUNDS = 30;

/** Runs with eight metrics in segments, as a hub leaves them. */
async function fill(db: pg.Pool, runs: readonly string[], steps: number): Promise<void> {
  await db.query(
    `INSERT INTO studies (id, name, design) VALUES ('bench', 'bench', '{}') ON CONFLICT DO NOTHING;
     INSERT INTO variants (id, study_id, key, position, role, label, network, input_size)
     VALUES ('bench', 'bench', 'k', 0, 'student', 'bench', 'resnet18', 32) ON CONFLICT DO NOTHING`,
  );
  const { rows: seeds } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM runs');
  for (const [i, runId] of runs.entries()) {
    await db.query(
      `INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network)
       VALUES ($1, 'bench', 'bench', 'student', $2, '{}', 'd', 'resnet18')`,
      [runId, seeds[0]!.n + i],
    );
    const { rows } = await db.query<{ id: number }>(
      `INSERT INTO metric_series (run_id, name) SELECT $1, 'train/metric_' || n FROM generate_series(1, ${METRICS}) AS n RETURNING id`,
      [runId],
    );
    for (let from = 1; from <= steps; from += SEGMENT_RECORDS) {
      const seqs = Float64Array.from({ length: Math.min(SEGMENT_RECORDS, steps - from + 1) }, (_, j) => from + j);
      const segment = encodeSegment(1, {
        metrics: rows.map(({ id }) => id),
        rows: {
          ...{ seq: seqs, step: seqs, at: seqs.map((seq) => 1.7e12 + 50 * seq + ((seq * 7) % 5)) },
          epoch: seqs.map((seq) => seq / 391),
        },
        columns: rows.map((_, m) => seqs.map((seq) => Math.fround(Math.sin(seq * (m + 1)) + 10 / seq))),
      });
      await insertSegment(db, { runId, attempt: 1 }, segment);
    }
  }
}

async function time(work: () => Promise<unknown>) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + 3; round++) {
    const began = performance.now();
    await work();
    // The first ones are the compiler's.
    if (round >= 3) times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { p50: Number(times[ROUNDS / 2]!.toFixed(1)), worst: Number(times.at(-1)!.toFixed(1)) };
}

const dataDir = makeDataDir();
const postgres = await startEmbeddedPostgres({ dataDir });
try {
  await migrateDatabase(postgres.url);
  const { pool, close } = openDatabase(postgres.url);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const bytesPerPoint = { float32: await measureLayouts(client, true), float64: await measureLayouts(client, false) };
  await client.end();
  console.log(`[load ${loadavg()[0]!.toFixed(1)}] ${JSON.stringify(bytesPerPoint)}`);

  const runs = Array.from({ length: RUNS }, (_, i) => `run_bench_${i}`);
  await fill(pool, ['run_million'], MILLION);
  await fill(pool, runs, STEPS);
  const metrics = ['train/metric_1'];
  const million = (from: number, to: number) => async () => {
    const reply = await readChart(pool, { runs: ['run_million'], metrics, from, to, buckets: 1_000 });
    if (reply.series[0]?.points !== to - from + 1) throw new Error(`A chart of ${from} to ${to} has lost points.`);
  };
  const readMs = {
    million: await time(million(1, MILLION)),
    tenth: await time(million(300_000, 399_999)),
    thousand: await time(million(500_123, 501_122)),
    hundredRuns: await time(() => readChart(pool, { runs, metrics, from: null, to: null, buckets: 500 })),
    hundredRunsInBytes: await time(async () =>
      encodeChart(await readChart(pool, { runs, metrics, from: null, to: null, buckets: 500 })),
    ),
  };
  await close();
  const ok =
    readMs.million.p50 < BAR.millionMs &&
    bytesPerPoint.float32.segments <= BAR.bytesPerPoint &&
    bytesPerPoint.float64.segments <= BAR.bytesPerPoint;
  if (!ok) process.exitCode = 1;
  console.log(JSON.stringify({ bench: 'metrics', ok, bar: BAR, load: loadavg(), bytesPerPoint, readMs }));
} finally {
  await postgres.stop();
  removeDataDir(dataDir);
}
