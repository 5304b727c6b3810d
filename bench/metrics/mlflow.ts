/** How fast MLflow stores metrics in the Postgres of the hub under measurement, in a database of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

/** A Python that has mlflow and psycopg2-binary. */
export const PYTHON_VARIABLE = 'MEALTABLE_MLFLOW_PYTHON';
/** As many as the machine has cores: more made it slower. */
const PROCESSES = 2;
const THREADS = 2;

/** @returns points a second of all processes together; null where there is no MLflow */
export async function measureMlflow(databaseUrl: string, seconds: number): Promise<number | null> {
  const python = process.env[PYTHON_VARIABLE];
  if (!python) return null;
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-mlflow-'));
  try {
    await admin.query('CREATE DATABASE mlflow');
    const url = new URL(databaseUrl);
    url.pathname = '/mlflow';
    const script = path.join(import.meta.dirname, 'mlflow_store.py');
    const run = (duration: number) =>
      promisify(execFile)(
        python,
        [
          script,
          url.toString().replace('postgresql:', 'postgresql+psycopg2:'),
          folder,
          String(duration),
          String(THREADS),
        ],
        {
          env: { ...process.env, MLFLOW_ENABLE_ASYNC_LOGGING: 'false', PYTHONWARNINGS: 'ignore' },
        },
      );
    // The first one makes the tables.
    await run(0.1);
    const done = await Promise.all(Array.from({ length: PROCESSES }, () => run(seconds)));
    return done.reduce((sum, { stdout }) => sum + JSON.parse(stdout.trim().split('\n').at(-1)!).points_per_s, 0);
  } finally {
    await admin.query('DROP DATABASE IF EXISTS mlflow WITH (FORCE)');
    await admin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
