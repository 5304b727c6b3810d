/**
 * How fast the hub stores records: batches of 200 metrics records with 8 values each, straight into the store and
 * through the agents' socket, with one writer and with four, on a durable Postgres of its own.
 * Run: `node --import tsx bench/ingest.ts [batches per writer]`. The last line of the output is JSON.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { AGENT_NAMESPACE, type Grant, type RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { AttemptRecord } from '@mealtable/protocol/records';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { MAX_SOCKET_BYTES, PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { Server } from 'socket.io';
import { io as connect, type Socket } from 'socket.io-client';
import { createLiveBus, type Hub, idMaker } from '../server/context.ts';
import { openDatabase } from '../server/db.ts';
import { upsertHost } from '../server/hosts/host-rows.ts';
import { attachSockets } from '../server/hub/attach-sockets.ts';
import { appendRecords } from '../server/metrics/store.ts';
import { startEmbeddedPostgres } from '../server/postgres/embedded.ts';
import { migrateDatabase } from '../server/postgres/migrate.ts';
import { claimRuns } from '../server/runs/claim-runs.ts';
import { transact } from '../server/runs/transaction.ts';
import { createStudy } from '../server/studies/create.ts';

const RECORDS_PER_BATCH = 200;
const METRICS = [
  'loss',
  'similarity_loss',
  'discriminator_loss',
  'top1',
  'top5',
  'learning_rate',
  'images_per_second',
  'norm',
];
const WRITERS = 4;

type BenchHub = Pick<Hub, 'db' | 'pool' | 'bus' | 'ids' | 'now'>;
type Send = (grant: Grant, records: AttemptRecord[]) => Promise<RecordBatchReply>;

/** The batches of one attempt: after its start nothing but metrics. */
function makeBatch(index: number): AttemptRecord[] {
  const first = index * RECORDS_PER_BATCH;
  return Array.from({ length: RECORDS_PER_BATCH }, (_, i): AttemptRecord => {
    const step = first + i + 1;
    const values = Object.fromEntries(METRICS.map((name, m) => [`train/${name}`, Math.sin(step * (m + 1))]));
    return { seq: step, at: 1_700_000_000_000 + step, kind: 'metrics', step, epoch: step / 100, values };
  });
}

/** @returns runs of a study without dependencies, claimed by one host */
async function claimFresh(hub: BenchHub, count: number): Promise<Grant[]> {
  const hostId = hub.ids('host');
  const counts = { trainCount: 1, valCount: 1 };
  const dataset = {
    name: 'bench',
    classNames: ['a', 'b'],
    classLabels: null,
    ...counts,
    fingerprint: '',
    problems: [],
  };
  const machine = { platform: '', cpuModel: '', cpuCount: 1, memoryBytes: 1, gpus: [], slots: 64, backend: '' };
  await transact(hub, (tx) =>
    upsertHost(tx, hostId, '0', { name: 'bench', ...machine, datasets: [dataset], labelSets: [] }),
  );
  const budget = { epochs: 1, batchSize: 2, optimizer: { learningRate: 0.1 } };
  const design = StudyDesign.parse({
    version: 1,
    dataset: 'bench',
    student: { network: 'resnet18', initialisation: { kind: 'random' } },
    ...budget,
    planned: [{ key: 'teacher', network: 'resnet18', inputSize: 32, seed: 0, ...budget }],
    baseline: true,
    design: 'full-factorial',
    factors: { teachers: [[{ kind: 'planned', key: 'teacher' }]], discriminator: [true], inputSize: [32] },
    list: [],
    seeds: Array.from({ length: count }, (_, i) => i),
  });
  await createStudy(hub, { name: 'bench', notes: '', design, createdById: null });
  return claimRuns(hub, hostId, count);
}

async function measure(hub: BenchHub, writers: number, batches: number, send: Send) {
  const grants = await claimFresh(hub, writers);
  const times: number[] = [];
  const began = performance.now();
  await Promise.all(
    grants.map(async (grant) => {
      for (let i = 0; i < batches; i++) {
        const sent = performance.now();
        const reply = await send(grant, makeBatch(i));
        times.push(performance.now() - sent);
        if (!reply.ok) throw new Error(JSON.stringify(reply));
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const records = writers * batches * RECORDS_PER_BATCH;
  times.sort((a, b) => a - b);
  const quantile = (q: number) => Number(times[Math.floor(q * (times.length - 1))]?.toFixed(1));
  return {
    records_per_s: Math.round(records / seconds),
    points_per_s: Math.round((records * METRICS.length) / seconds),
    batch_p50_ms: quantile(0.5),
    batch_p99_ms: quantile(0.99),
  };
}

/** An agent's socket on the hub's own namespace. */
async function openSocket(hub: BenchHub) {
  const server = createServer();
  const io = new Server(server, { perMessageDeflate: false, serveClient: false, maxHttpBufferSize: MAX_SOCKET_BYTES });
  const sockets = attachSockets(io, hub as Hub);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const auth = { token: 'x', protocolVersion: PROTOCOL_VERSION, agentVersion: '0', hostId: hub.ids('host') };
  const socket: Socket = connect(`http://127.0.0.1:${port}${AGENT_NAMESPACE}`, { auth, transports: ['websocket'] });
  const send: Send = ({ runId, attempt }, records) => socket.emitWithAck('run:records', { runId, attempt, records });
  return {
    send,
    async close() {
      socket.disconnect();
      sockets.close();
      await io.close();
    },
  };
}

async function main() {
  const batches = Number(process.argv[2] ?? 100);
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-bench-'));
  chmodSync(dir, 0o755); // as root another user runs Postgres and must get in
  const postgres = await startEmbeddedPostgres({ dataDir: dir });
  try {
    await migrateDatabase(postgres.url);
    const { db, pool, close } = openDatabase(postgres.url);
    const now = () => new Date();
    const hub: BenchHub = { db, pool, bus: createLiveBus(), now, ids: idMaker(now) };
    const direct: Send = ({ runId, attempt }, records) => appendRecords(hub, runId, attempt, records);
    const socket = await openSocket(hub);
    await measure(hub, 1, 20, direct); // warm-up: compiled code, prepared caches
    const results = {
      store_1: await measure(hub, 1, batches, direct),
      store_4: await measure(hub, WRITERS, batches, direct),
      socket_1: await measure(hub, 1, batches, socket.send),
      socket_4: await measure(hub, WRITERS, batches, socket.send),
    };
    const { rows } = await pool.query<{ bytes: number }>(
      `SELECT pg_total_relation_size('metric_records')::float8 / (SELECT sum(cardinality("values")) FROM metric_records) AS bytes`,
    );
    await socket.close();
    await close();
    const bytesPerPoint = Number(rows[0]?.bytes.toFixed(1));
    console.log(JSON.stringify({ bench: 'ingest', batches, ...results, bytes_per_point: bytesPerPoint }));
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
