/**
 * What opening a study's page asks of the hub: each of its reads from the database to the bytes of the answer, for a study with so many
 * runs in a durable Postgres of its own. Studies hold 500 runs at most now; the rest shows how it grows.
 * Run: `npm run bench:study-page -- [runs] [calls]`. The last line of the output is JSON, milliseconds and bytes.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import superjson from 'superjson';
import { createLiveBus, idMaker } from '../server/context.ts';
import { openDatabase } from '../server/db.ts';
import { loadStudyEvents } from '../server/events/read-events.ts';
import { startEmbeddedPostgres } from '../server/postgres/embedded.ts';
import { migrateDatabase } from '../server/postgres/migrate.ts';
import { createStudy } from '../server/studies/create.ts';
import { loadOverview } from '../server/studies/overview.ts';
import { loadProgress } from '../server/studies/progress.ts';
import { loadStudyTable } from '../server/studies/table.ts';
import { loadStudyView } from '../server/studies/view.ts';
import { smallStudy } from '../test/support/small-study.ts';

const [runCount = 10_000, calls = 20] = process.argv.slice(2).map(Number);
const SEEDS = 5;
const DATASET = {
  name: 'digits',
  classNames: Array.from({ length: 10 }, (_, i) => String(i)),
  classLabels: null,
  trainCount: 1_000,
  valCount: 300,
  fingerprint: '',
  problems: [],
};

/** A study of one variant, copied until there are enough runs: three of four have succeeded, some run, the rest waits. */
async function makeStudy(pool: pg.Pool): Promise<string> {
  const bus = createLiveBus();
  const ids = idMaker(() => new Date());
  await pool.query(
    `INSERT INTO hosts (id, name, report, agent_version, last_seen_at) VALUES ($1, 'bench', $2, '0', now())`,
    [
      ids('host'),
      JSON.stringify({
        ...{
          name: 'bench',
          platform: '',
          cpuModel: '',
          cpuCount: 1,
          memoryBytes: 1e9,
          gpus: [],
          slots: 8,
          backend: '',
        },
        datasets: [DATASET],
        labelSets: [],
      }),
    ],
  );
  const design = smallStudy({ seeds: Array.from({ length: SEEDS }, (_, i) => i) });
  const studyId = await createStudy({ pool, bus, ids }, { name: 'bench', notes: '', design, createdById: null });
  await pool.query(
    `WITH one AS (SELECT * FROM variants WHERE study_id = $1 AND role = 'student' ORDER BY position LIMIT 1), copies AS (
       INSERT INTO variants (id, study_id, key, position, role, label, levels, network, input_size)
       SELECT 'var_' || lpad(n::text, 22, '0'), study_id, key || n, 100 + n, role, label || n, levels, network, input_size
       FROM one, generate_series(1, $2) n RETURNING id, position)
     INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network, status, steps_completed,
       steps_per_epoch, total_steps, attempt, best_top1, best_epoch, last_top1, started_at, finished_at)
     SELECT 'run_' || lpad((c.position * $3 + s)::text, 22, '0'), $1, c.id, r.role, s, r.config, r.dataset, r.network,
       (CASE WHEN c.position % 4 > 0 THEN 'succeeded' WHEN s = 0 THEN 'running' ELSE 'queued' END)::run_status,
       CASE WHEN c.position % 4 > 0 THEN 56 WHEN s = 0 THEN 20 ELSE 0 END, 28, 56, 1, 90 + random(), 2, 90,
       now() - interval '1 hour', CASE WHEN c.position % 4 > 0 THEN now() END
     FROM copies c, generate_series(0, $3 - 1) s,
       (SELECT * FROM runs WHERE study_id = $1 AND role = 'student' LIMIT 1) r`,
    [studyId, Math.ceil(runCount / SEEDS), SEEDS],
  );
  await pool.query(
    `INSERT INTO run_attempts (run_id, attempt, started_at, ended_at)
     SELECT id, attempt, started_at, finished_at FROM runs WHERE study_id = $1 AND attempt > 0 AND status <> 'queued'`,
    [studyId],
  );
  await pool.query(
    `INSERT INTO run_dependencies SELECT r.id, t.id FROM runs r, runs t
     WHERE r.study_id = $1 AND t.study_id = $1 AND t.role = 'teacher' AND r.role = 'student' ON CONFLICT DO NOTHING`,
    [studyId],
  );
  await pool.query('ANALYZE');
  return studyId;
}

async function measure(read: () => Promise<unknown>) {
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < calls; i++) {
    const began = performance.now();
    bytes = Buffer.byteLength(JSON.stringify(superjson.serialize(await read())));
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const quantile = (q: number) => Number(times[Math.floor(q * (times.length - 1))]?.toFixed(1));
  return { p50_ms: quantile(0.5), p95_ms: quantile(0.95), bytes };
}

const dataDir = mkdtempSync(path.join(tmpdir(), 'mealtable-bench-'));
chmodSync(dataDir, 0o755);
const postgres = await startEmbeddedPostgres({ dataDir });
await migrateDatabase(postgres.url);
const { pool, close } = openDatabase(postgres.url);
try {
  const id = await makeStudy(pool);
  const reads = {
    overview: () => loadOverview(pool, id),
    progress: () => loadProgress(pool, id, Date.now()),
    table: () => loadStudyTable(pool, id),
    activity: () => loadStudyEvents(pool, id, null, 8),
    get: () => loadStudyView(pool, id),
  };
  const result: Record<string, unknown> = { runs: runCount, calls };
  for (const [name, read] of Object.entries(reads)) {
    result[name] = await measure(read);
    console.log(name.padEnd(10), result[name]);
  }
  console.log(JSON.stringify(result));
} finally {
  await close();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
