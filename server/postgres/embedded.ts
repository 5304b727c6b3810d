/** The embedded database: a real Postgres server in the hub's data folder, started and stopped with the hub. */
import { chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort } from '../free-port.ts';
import { rotateLog } from '../rotate-log.ts';
import { readOrMakeSecretFile } from '../secret-file.ts';
import { StartupFault } from '../startup-fault.ts';
import { POSTGRES_MAJOR, prepareBinaries } from './binaries.ts';
import { explainFailure } from './explain-failure.ts';
import { readPidFile, removeForeignPidFile } from './pid-file.ts';
import { type Place, preparePlace } from './place.ts';
import { type Programs, runProgram } from './programs.ts';

const SUPERUSER = 'mealtable';
const DATABASE = 'mealtable';

/** Lean: a hub has one pool, and nobody else connects. Every process that Postgres can do without is left out. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  jit: 'off',
  io_method: 'sync',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '1',
};

/** How often a start is tried while the last server is still going away or the port was just taken. */
const START_TRIES = 6;
const RETRY_MS = 700;

export interface EmbeddedPostgres {
  url: string;
  /** It was running already: the hub that started it was killed. */
  adopted: boolean;
  /** A sentence for the user, when the database is not where they would look for it. */
  notice: string | null;
  /** Ends all connections and waits until the server is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  /** Over the lean defaults: tests switch fsync off. */
  settings?: Record<string, string>;
  /** Over initdb's: tests add --no-sync. */
  initdbArgs?: string[];
}

/**
 * Starts the server in `<dataDir>/postgres`, making the database at the first start.
 * @throws {StartupFault} one sentence: disk full, folder unreadable, another version's data, no programs
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = preparePlace(options.dataDir);
  const programs = { binDir: prepareBinaries(place.user, place.cacheDir), user: place.user, cwd: place.folder };
  const password = makePassword(place);
  const urlAt = (port: number) => `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  const stop = () => stopServer(programs, place);

  if (!existsSync(path.join(place.dataFolder, 'PG_VERSION'))) await initialise(programs, place, password, options);
  const version = readFileSync(path.join(place.dataFolder, 'PG_VERSION'), 'utf8').trim();
  if (version !== String(POSTGRES_MAJOR)) throw explainFailure('initialized by PostgreSQL version', place.dataFolder);

  const running = await findRunning(programs, place, urlAt);
  if (running !== null) return { url: urlAt(running), adopted: true, notice: place.notice, stop };
  const port = await start(programs, place, { ...SETTINGS, ...options.settings });
  await ensureDatabase(urlAt(port));
  return { url: urlAt(port), adopted: false, notice: place.notice, stop };
}

function makePassword(place: Place): string {
  try {
    return readOrMakeSecretFile(place.passwordFile);
  } catch (error) {
    throw explainFailure((error as Error).message, place.folder);
  }
}

/** Made beside and renamed when whole, so that a start cut short leaves nothing half made. */
async function initialise(programs: Programs, place: Place, password: string, { initdbArgs = [] }: EmbeddedOptions) {
  const unfinished = `${place.dataFolder}.new`;
  const passwordCopy = path.join(place.folder, 'password.new');
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordCopy, password, { mode: 0o600 });
  if (place.user) chownSync(passwordCopy, place.user.uid, place.user.gid);
  const { code, output } = await runProgram(programs, 'initdb', [
    ...['--pgdata', unfinished, '--username', SUPERUSER, '--pwfile', passwordCopy],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', ...initdbArgs],
  ]);
  rmSync(passwordCopy, { force: true });
  if (code !== 0) throw explainFailure(output, place.folder);
  renameSync(unfinished, place.dataFolder);
}

/** @returns the port of our own server, left running by a hub that was killed */
async function findRunning(programs: Programs, place: Place, urlAt: (port: number) => string): Promise<number | null> {
  const { code } = await runProgram(programs, 'pg_ctl', ['status', '-D', place.dataFolder]);
  const port = code === 0 ? readPidFile(place.dataFolder)?.port : undefined;
  if (!port) return null;
  try {
    await ensureDatabase(urlAt(port));
    return port;
  } catch {
    // Not our server, or one that no longer answers: start() says why if it cannot be replaced.
    return null;
  }
}

async function start(programs: Programs, place: Place, settings: Record<string, string>): Promise<number> {
  rotateLog(place.logFile);
  let wanted = existsSync(place.portFile) ? Number(readFileSync(place.portFile, 'utf8')) : undefined;
  for (let tries = 1; ; tries++) {
    const port = await findFreePort(wanted);
    const flags = Object.entries({ ...settings, port: String(port) }).map(([name, value]) => `-c ${name}=${value}`);
    const logStart = statSync(place.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const { code, output } = await runProgram(programs, 'pg_ctl', [
      ...['start', '--wait', '--timeout', '60', '--silent', '-D', place.dataFolder],
      ...['--log', place.logFile, '--options', flags.join(' ')],
    ]);
    if (code === 0) {
      writeFileSync(place.portFile, `${port}\n`);
      return port;
    }
    const said = `${output}\n${readLogFrom(place.logFile, logStart)}`;
    const portTaken = /Address already in use|could not bind/i.test(said);
    // A killed server's process may linger until it is reaped; deleting its pid file earlier would risk the data.
    const lingering = /lock file "postmaster.pid" already exists|another server might be running/i.test(said);
    if (!(portTaken || lingering) || tries === START_TRIES) throw explainFailure(said, place.folder);
    if (portTaken) wanted = undefined;
    if (lingering && !removeForeignPidFile(place.dataFolder)) await sleep(RETRY_MS);
  }
}

const readLogFrom = (file: string, from: number): string =>
  existsSync(file) ? readFileSync(file).subarray(from).toString() : '';

async function ensureDatabase(url: string) {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.toString(), connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // the next query says so
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}

async function stopServer(programs: Programs, place: Place) {
  const stop = (mode: string, timeout: string) =>
    runProgram(programs, 'pg_ctl', ['stop', '--wait', '--timeout', timeout, '--mode', mode, '-D', place.dataFolder]);
  if (readPidFile(place.dataFolder) === null) return;
  const { code, output } = await stop('fast', '20');
  if (code === 0 || readPidFile(place.dataFolder) === null) return;
  // Loses nothing: the next start replays the log.
  const forced = await stop('immediate', '10');
  if (forced.code !== 0 && readPidFile(place.dataFolder) !== null)
    throw new StartupFault(`Postgres in ${place.folder} did not stop: ${output.trim()}`);
}
