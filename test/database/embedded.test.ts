/** The embedded Postgres: made, found again, taken over after a crash, and explained when it cannot start. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../server/postgres/embedded.ts';
import { readPidFile } from '../../server/postgres/pid-file.ts';
import { canReach } from '../../server/postgres/service-user.ts';

const NOBODY = 65534;
/** Another user must be able to run the project: not in a checkout below /root. */
const canRunAsNobody =
  process.getuid?.() === 0 && canReach(import.meta.dirname, { uid: NOBODY, gid: NOBODY, name: 'nobody' });

const FAST = { settings: { fsync: 'off' }, initdbArgs: ['--no-sync'] };
let dataDir: string;
const dataFolder = () => path.join(dataDir, 'postgres', 'data');
const start = () => startEmbeddedPostgres({ dataDir, ...FAST });

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** One data folder for all tests that leave it in order: making one takes a second. */
beforeAll(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'mealtable-pg-'));
  chmodSync(dataDir, 0o755);
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe('startEmbeddedPostgres', () => {
  let server: EmbeddedPostgres;
  beforeEach(async () => {
    server = await start();
  });
  afterEach(() => server.stop());
  const pid = () => readPidFile(dataFolder())?.pid ?? 0;

  it('keeps data, password and port from one start to the next', async () => {
    await query(server.url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS value');
    await server.stop();
    expect(readPidFile(dataFolder())).toBeNull();
    const again = await start();
    expect(again).toMatchObject({ url: server.url, adopted: false });
    expect(await query(again.url, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
  });

  it('asks for the password, listens on this machine only, and shows the password to nobody else', async () => {
    const { port } = new URL(server.url);
    await expect(query(`postgresql://mealtable:wrong@127.0.0.1:${port}/mealtable`, 'SELECT 1')).rejects.toThrow(
      /password/,
    );
    expect(await query(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await query(server.url, 'SHOW unix_socket_directories')).toEqual([{ unix_socket_directories: '' }]);
    expect(statSync(path.join(dataDir, 'postgres', 'password')).mode & 0o077).toBe(0);
    expect(statSync(path.join(dataDir, 'postgres')).mode & 0o077).toBe(0);
    expect(existsSync(path.join(dataDir, 'postgres', 'password.new'))).toBe(false);
  });

  it('goes on with the server that a killed hub left running', async () => {
    const before = pid();
    const adopted = await start();
    expect(adopted).toMatchObject({ url: server.url, adopted: true });
    expect(pid()).toBe(before);
  });

  it('starts again after the server itself was killed', async () => {
    await query(server.url, 'CREATE TABLE IF NOT EXISTS safe AS SELECT 1 AS one');
    process.kill(pid(), 'SIGKILL');
    server = await start();
    expect(await query(server.url, 'SELECT one FROM safe')).toEqual([{ one: 1 }]);
  });

  it('is not fooled by a pid file whose number another program has now', async () => {
    const file = path.join(dataFolder(), 'postmaster.pid');
    const text = readFileSync(file, 'utf8');
    await server.stop();
    const stranger = spawn('sleep', ['60'], { ...(process.getuid?.() === 0 ? ownerOf(dataFolder()) : {}) });
    writeFileSync(file, text.replace(/^\d+/, String(stranger.pid)));
    try {
      server = await start();
      expect(server.adopted).toBe(false);
      expect(isRunning(stranger.pid ?? 0)).toBe(true);
    } finally {
      stranger.kill();
    }
  });

  it('takes another port when a stranger has its own', async () => {
    const port = Number(new URL(server.url).port);
    await server.stop();
    const stranger = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    try {
      server = await start();
      expect(Number(new URL(server.url).port)).not.toBe(port);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  it('says so when the data are of another version', async () => {
    await server.stop();
    const file = path.join(dataFolder(), 'PG_VERSION');
    writeFileSync(file, '17\n');
    await expect(start()).rejects.toThrow(/made by another version of Postgres/);
    writeFileSync(file, '18\n');
  });

  it.runIf(canRunAsNobody)('says so when an ordinary user finds data of another user', async () => {
    await server.stop();
    const said = await startAsNobody(dataDir);
    expect(said).toMatch(/belongs to another user or cannot be written/);
  });
});

const ownerOf = (file: string) => {
  const { uid, gid } = statSync(file);
  return { uid, gid };
};

/** Starts and stops a server in a process of another user. @returns what it printed */
async function startAsNobody(folder: string): Promise<string> {
  const home = mkdtempSync(path.join(tmpdir(), 'mealtable-home-'));
  chownSync(home, NOBODY, NOBODY);
  const module = path.resolve(import.meta.dirname, '../../server/postgres/embedded.ts');
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    try {
      const server = await startEmbeddedPostgres({ dataDir: process.argv[1], settings: { fsync: 'off' }, initdbArgs: ['--no-sync'] });
      console.log('up', server.url, server.notice);
      await server.stop();
      console.log('down');
    } catch (error) { console.log(error.message); }`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, folder];
  const child = spawn(process.execPath, args, {
    uid: NOBODY,
    gid: NOBODY,
    env: { ...process.env, HOME: home, TMPDIR: home },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  rmSync(home, { recursive: true });
  return said;
}

describe.runIf(canRunAsNobody)('as an ordinary user', () => {
  it('runs everything as that user', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-user-'));
    chownSync(folder, NOBODY, NOBODY);
    try {
      expect(await startAsNobody(folder)).toMatch(/^up postgresql:.* null\ndown\n$/);
      expect(statSync(path.join(folder, 'postgres', 'data')).uid).toBe(NOBODY);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
