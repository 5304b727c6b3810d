/**
 * How fast a hub stores metrics: twenty agents on real connections, each with a run and one batch of 200 to 1,000 points in flight,
 * acknowledged after the commit, on a hub process with its own Postgres; load, hub and database share the machine. At the end every
 * point is counted in the database. With MLflow at hand (MEALTABLE_MLFLOW_PYTHON) its log-batch is measured on the same Postgres.
 * Run: `npm run bench:ingest [-- --seconds S --connections N --profile]`. The last line of the output is JSON; the exit code says whether
 * the bar is met.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { idMaker } from '../../server/context.ts';
import { followLink } from '../../test/support/follow-link.ts';
import { connectApi } from '../../test/support/hub-process.ts';
import { STORED_PARTS } from '../../test/support/stored-points.ts';
import { cpuSecondsOf } from '../hub/cpu.ts';
import { startMeasuredHub } from '../hub/hub-process.ts';
import { createStudies } from '../hub/studies.ts';
import { Connection, METRICS } from './connection.ts';
import { measureMlflow, PYTHON_VARIABLE } from './mlflow.ts';

const BAR = { pointsPerS: 250_000, p99Ms: 250, bytesPerPoint: 12, timesMlflow: 30 };
const [LEAST_POINTS, MOST_POINTS] = [200, 1_000];
/** Not measured: compiled code, first series, first segments. */
const WARM_UP_S = 5;
/** For the hub to put everything into segments. */
const SETTLE_S = 60;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '20' },
    mlflow: { type: 'string', default: '15' },
  },
});
const [seconds, connectionCount] = [Number(flags.seconds), Number(flags.connections)];
const round = (value: number, digits = 1) => Number(value.toFixed(digits));
const say = (line: string) => console.log(`[load ${loadavg()[0]!.toFixed(1)}] ${line}`);

const hub = await startMeasuredHub();
const connections: Connection[] = [];
const database = new pg.Client({ connectionString: hub.databaseUrl });
await database.connect();
try {
  const cookie = (await followLink(hub.ownerLink))!;
  const api = connectApi(hub.url, { cookie, origin: hub.url });
  const { token } = await api.tokens.create.mutate({ kind: 'agent', label: 'bench' });
  const makeId = idMaker(() => new Date());
  connections.push(
    ...Array.from({ length: connectionCount }, (_, i) => new Connection(hub.url, token, makeId('host'), `bench-${i}`)),
  );
  for (const connection of connections) await connection.attach();
  await createStudies(api, connectionCount);
  for (const connection of connections) await connection.begin();

  let seed = 1;
  const pointsOfBatch = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return LEAST_POINTS + (seed % (MOST_POINTS - LEAST_POINTS + 1));
  };
  const start = performance.now() + WARM_UP_S * 1000;
  const end = start + seconds * 1000;
  say(`${connectionCount} connections send for ${WARM_UP_S} + ${seconds} s.`);
  const sending = connections.map((connection) => connection.sendUntil(end, pointsOfBatch));
  await sleep(WARM_UP_S * 1000);
  await hub.usage();
  const cpuNow = () => ({
    hub: cpuSecondsOf(hub.pid),
    postgres: cpuSecondsOf(hub.postgresPid),
    load: process.cpuUsage(),
  });
  const before = cpuNow();
  await Promise.all(sending);
  const after = cpuNow();
  const usage = await hub.usage();

  const measured = connections.flatMap(({ acks }) => acks).filter(({ at }) => at >= start && at < end);
  const times = measured.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (q: number) => round(times[Math.ceil(q * times.length) - 1] ?? Number.NaN);
  const pointsPerS = measured.reduce((sum, { points }) => sum + points, 0) / seconds;
  const perSecond = Array.from({ length: seconds }, (_, s) =>
    measured.reduce((sum, { points, at: t }) => (Math.floor((t - start) / 1000) === s ? sum + points : sum), 0),
  );
  const sent = connections.flatMap(({ acks }) => acks).reduce((sum, { points }) => sum + points, 0);
  say(`${Math.round(pointsPerS).toLocaleString('en')} points/s, p99 ${at(0.99)} ms.`);
  const mlflow = await measureMlflow(hub.databaseUrl, connectionCount, Number(flags.mlflow));
  if (mlflow === null)
    say(`MLflow is not measured: set ${PYTHON_VARIABLE} to a Python that has mlflow and psycopg2-binary.`);
  else
    say(
      `MLflow on the same Postgres: ${Math.round(mlflow.server)} points/s by log-batch, ${Math.round(mlflow.store)} by its store alone.`,
    );

  for (const connection of connections) connection.close();
  const stored = await countStored(sent);
  const ratio = mlflow === null ? null : round(pointsPerS / mlflow.server);
  const ok =
    stored.points === sent &&
    pointsPerS >= BAR.pointsPerS &&
    at(0.99) < BAR.p99Ms &&
    stored.bytesPerPoint <= BAR.bytesPerPoint &&
    (ratio === null || ratio >= BAR.timesMlflow);
  if (!ok) process.exitCode = 1;
  const cpu = {
    hub: round((after.hub - before.hub) / seconds, 2),
    postgres: round((after.postgres - before.postgres) / seconds, 2),
    load: round((after.load.user + after.load.system - before.load.user - before.load.system) / 1e6 / seconds, 2),
  };
  console.log(
    JSON.stringify({
      ...{
        bench: 'ingest',
        ok,
        bar: BAR,
        cores: cpus().length,
        load: loadavg(),
        connections: connectionCount,
        seconds,
      },
      ...{ pointsPerS: Math.round(pointsPerS), worstSecond: Math.min(...perSecond), batches: times.length },
      ackMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
      ...{ sent, stored, cpuPerS: cpu, hub: usage },
      ...{ mlflowPointsPerS: mlflow, timesMlflow: ratio },
    }),
  );
} finally {
  for (const connection of connections) connection.close();
  await database.end();
  await hub.close();
}

/** Every point, once the hub has put most of them into segments, and what all that takes on disk. */
async function countStored(sent: number) {
  const end = performance.now() + SETTLE_S * 1000;
  const chunksLeft = async () => Number((await database.query('SELECT count(*) FROM metric_chunks')).rows[0].count);
  // What is left below a segment waits for more to come.
  while (performance.now() < end && (await chunksLeft()) > connectionCount * 60) await sleep(1_000);
  const chunks = await chunksLeft();
  // What autovacuum does by itself a minute later.
  for (const table of ['metric_chunks', 'metric_segments', 'metric_series']) await database.query(`VACUUM ${table}`);
  const { rows } = await database.query<{ points: string; bytes: Record<string, number> }>(
    `SELECT (SELECT sum(records) FROM ${STORED_PARTS}) * ${METRICS.length} AS points,
            (SELECT jsonb_object_agg(t, pg_total_relation_size(t::regclass))
             FROM unnest(ARRAY['metric_chunks', 'metric_segments', 'metric_series', 'metric_marks']) AS t) AS bytes`,
  );
  const { points, bytes } = rows[0]!;
  const total = Object.values(bytes).reduce((sum, each) => sum + each, 0);
  return { points: Number(points), chunks, bytes, bytesPerPoint: round(total / sent, 2) };
}
