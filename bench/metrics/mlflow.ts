/**
 * How fast MLflow stores metrics in the Postgres of the hub under measurement, in a database of its own: through its tracking server's
 * log-batch, as a trainer would, and by its store alone, called without a server in between.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort } from '../../server/free-port.ts';

/** A Python that has mlflow and psycopg2-binary. */
export const PYTHON_VARIABLE = 'MEALTABLE_MLFLOW_PYTHON';
/** As many as the machine has cores: more made it slower. */
const PROCESSES = 2;
const THREADS = 2;
/** The most that log-batch takes. */
const BATCH = 1_000;
const METRICS = 8;
/** It loads half a gigabyte of Python in each of its processes. */
const START_MS = 240_000;

export interface MlflowRates {
  /** Points a second through the server, from as many clients as the hub had. */
  server: number;
  /** Of its store alone, by processes and threads of its own. */
  store: number;
}

/** @returns null where there is no MLflow */
export async function measureMlflow(
  databaseUrl: string,
  clients: number,
  seconds: number,
): Promise<MlflowRates | null> {
  const python = process.env[PYTHON_VARIABLE];
  if (!python) return null;
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-mlflow-'));
  try {
    await admin.query('CREATE DATABASE mlflow');
    const url = new URL(databaseUrl);
    url.pathname = '/mlflow';
    const place = { python, url: url.toString().replace('postgresql:', 'postgresql+psycopg2:'), folder };
    const store = await measureStore(place, seconds);
    return { store, server: await measureServer(place, clients, seconds) };
  } finally {
    await admin.query('DROP DATABASE IF EXISTS mlflow WITH (FORCE)');
    await admin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  python: string;
  url: string;
  folder: string;
}

async function measureStore({ python, url, folder }: Place, seconds: number): Promise<number> {
  const script = path.join(import.meta.dirname, 'mlflow_store.py');
  const run = (duration: number) =>
    promisify(execFile)(python, [script, url, folder, String(duration), String(THREADS)], {
      env: { ...process.env, PYTHONWARNINGS: 'ignore' },
    });
  // The first one makes the tables.
  await run(0.1);
  const done = await Promise.all(Array.from({ length: PROCESSES }, () => run(seconds)));
  return done.reduce((sum, { stdout }) => sum + JSON.parse(stdout.trim().split('\n').at(-1)!).points_per_s, 0);
}

async function measureServer({ python, url, folder }: Place, clients: number, seconds: number): Promise<number> {
  const port = String(await findFreePort());
  const server = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', port, '--workers', String(PROCESSES)],
      ...['--backend-store-uri', url, '--artifacts-destination', folder],
    ],
    // A group of its own: its workers are to end with it.
    { detached: true, stdio: 'ignore' },
  );
  const ended = once(server, 'exit');
  const ask = async (what: string, body: object) => {
    const reply = await fetch(`http://127.0.0.1:${port}/api/2.0/mlflow/${what}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    });
    if (!reply.ok) throw new Error(`MLflow answered ${reply.status} to ${what}: ${await reply.text()}`);
    return reply.json();
  };
  try {
    const limit = performance.now() + START_MS;
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        (reply) => reply.ok,
        () => false,
      );
    while (!(await isUp())) {
      if (performance.now() > limit || server.exitCode !== null) throw new Error('The MLflow server does not start.');
      await sleep(200);
    }
    const { experiment_id } = await ask('experiments/create', { name: 'bench' });
    let points = 0;
    const began = performance.now();
    const end = began + seconds * 1000;
    await Promise.all(
      Array.from({ length: clients }, async () => {
        const { run } = await ask('runs/create', { experiment_id, start_time: Date.now() });
        for (let step = 0; performance.now() < end; step += BATCH / METRICS) {
          await ask('runs/log-batch', { run_id: run.info.run_id, metrics: makeBatch(step) });
          points += BATCH;
        }
      }),
    );
    // Until the last answer: on a slow machine one may take longer than all of the time.
    return (1000 * points) / (performance.now() - began);
  } finally {
    if (server.exitCode === null) process.kill(-server.pid!, 'SIGKILL');
    await ended;
  }
}

const makeBatch = (firstStep: number) =>
  Array.from({ length: BATCH }, (_, i) => ({
    ...{ key: `train/metric_${i % METRICS}`, value: (i * 0.7) % 1.3, timestamp: Date.now() },
    step: firstStep + Math.floor(i / METRICS),
  }));
