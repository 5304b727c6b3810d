/** Starting and stopping: one sentence when something outside is in the way, and nothing left behind. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type HubEnv, parseHubEnv } from '../../server/env.ts';
import { explainFileFault } from '../../server/explain-file-fault.ts';
import { readPidFile } from '../../server/postgres/pid-file.ts';
import { startHub } from '../../server/start-hub.ts';
import { StartupFault } from '../../server/startup-fault.ts';
import { createDatabaseUrl, createTestDatabase } from '../support/database.ts';
import { startTestHub } from '../support/hub.ts';

let dataDir: string;
beforeAll(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'mealtable-start-'));
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const start = (env: Partial<HubEnv>, now?: () => Date) =>
  startHub({
    now,
    env: {
      port: 0,
      host: '127.0.0.1',
      dataDir,
      databaseUrl: null,
      origin: null,
      configFile: null,
      localAgent: false,
      datasetsDir: null,
      keptCheckpoints: 1,
      s3: null,
      ...env,
    },
    pages: 'none',
  });

describe('startHub', () => {
  it('says so when the port is taken, before it touches the database', async () => {
    const stranger = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    const { port } = stranger.address() as { port: number };
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken by another program.`);
    expect(existsSync(path.join(dataDir, 'postgres'))).toBe(false);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('says so when the database goes away in the middle, whoever hears of it first', async () => {
    const { db, pool, close } = await createTestDatabase();
    const dying = db.$queryRaw`SELECT pg_backend_pid() AS pid, pg_sleep(60)`.catch((error: unknown) => error);
    const isEnded = async () => {
      const sleepers =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
      expect((await pool.query(sleepers)).rowCount).toBeGreaterThan(0);
    };
    await vi.waitFor(isEnded, { timeout: 45_000 });
    const lost = await dying;
    await close();
    const { url, drop } = await createDatabaseUrl();
    // The clock is asked while the owner is made: as good a moment as any.
    const now = () => {
      throw lost;
    };
    await expect(start({ databaseUrl: url }, now)).rejects.toThrow(
      new StartupFault('The database went away while the hub was starting. Start it again; nothing is lost.'),
    );
    await drop();
  });

  it.each([
    [
      'no server',
      (url: URL) => {
        url.port = '1';
      },
      /^No Postgres answers at 127\.0\.0\.1:1\./,
    ],
    [
      'a wrong password',
      (url: URL) => {
        url.password = 'wrong';
      },
      /does not accept the user "mealtable" with this password/,
    ],
    [
      'no such database',
      (url: URL) => {
        url.pathname = '/nowhere';
      },
      /has no database "nowhere"/,
    ],
    [
      'no such computer',
      (url: URL) => {
        url.hostname = 'nowhere.invalid';
      },
      /no computer named nowhere\.invalid/,
    ],
  ] as const)('says so when DATABASE_URL leads to %s, without the password', async (_, change, sentence) => {
    const url = new URL(inject('postgres').url);
    change(url);
    const fault = await start({ databaseUrl: url.toString() }).catch((error) => error);
    expect(fault.message).toMatch(sentence);
    expect(fault.message).not.toContain(new URL(inject('postgres').url).password);
  });

  it.each([
    ['the data folder', ''],
    ['the folder of the checkpoints', 'blobs'],
  ])('says so when %s is a file', async (_, name) => {
    const { url, drop } = await createDatabaseUrl();
    const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-start-'));
    const blocked = path.join(folder, 'data');
    if (name !== '') mkdirSync(blocked);
    writeFileSync(path.join(blocked, name), '');
    await expect(start({ dataDir: blocked, databaseUrl: url })).rejects.toThrow(
      new RegExp(`^In the data folder ${blocked} a file and a folder have each other's place\\.`),
    );
    rmSync(folder, { recursive: true });
    await drop();
  });

  it('says so when the disk is full or the folder is somebody else’s, and leaves other errors alone', () => {
    const fault = (code: string) => explainFileFault(Object.assign(new Error('write'), { code }), '/data') as Error;
    expect(fault('ENOSPC')).toBeInstanceOf(StartupFault);
    expect(fault('ENOSPC').message).toBe(
      'The disk is full: /data needs space. Free some and start again; nothing is lost. (write)',
    );
    expect(fault('EACCES').message).toMatch(
      /^The data folder \/data cannot be written\. Start as the user who made it/,
    );
    const elsewhere = Object.assign(new Error('open'), { code: 'EACCES', path: '/other/file' });
    expect(explainFileFault(elsewhere, '/data')).toBe(elsewhere);
    const bug = new TypeError('x');
    expect(explainFileFault(bug, '/data')).toBe(bug);
  });

  it('refuses a second hub on the same database, and leaves the first alone', async () => {
    const first = await startTestHub();
    await expect(start({ databaseUrl: first.databaseUrl })).rejects.toThrow(/^Another hub runs on this database/);
    expect((await fetch(`${first.url}/api/health`)).status).toBe(200);
    await first.close();
  }, 30_000);

  it('works in a schema of its own, whatever the server’s time zone', async () => {
    const { url, drop } = await createDatabaseUrl(null);
    const now = new Date('2026-07-01T12:00:00.123Z');
    const running = await startHub({
      env: {
        port: 0,
        host: '127.0.0.1',
        dataDir,
        databaseUrl: `${url}?schema=meal table`,
        origin: null,
        configFile: null,
        localAgent: false,
        datasetsDir: null,
        keptCheckpoints: 1,
        s3: null,
      },
      pages: 'none',
      now: () => now,
    });
    const { pool, db } = running.hub;
    const name = new URL(url).pathname.slice(1);
    await pool.query(`ALTER DATABASE ${name} SET TimeZone = 'Asia/Kolkata'`);
    expect(
      (await pool.query(`SELECT table_schema FROM information_schema.tables WHERE table_name = 'runs'`)).rows,
    ).toEqual([{ table_schema: 'meal table' }]);
    const [owner] = await db.user.findMany();
    expect(owner?.createdAt).toEqual(now);
    expect((await pool.query('SELECT created_at FROM users')).rows).toEqual([{ created_at: now }]);
    await running.close();
    await drop();
  });

  it('closes twice without harm', async () => {
    const hub = await startTestHub();
    await hub.stop();
    await hub.close();
    await expect(fetch(`${hub.url}/api/health`)).rejects.toThrow();
  });
});

describe('parseHubEnv', () => {
  it('has a default for everything', () => {
    expect(parseHubEnv({ PORT: '' })).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: null,
      localAgent: true,
    });
  });

  it.each([
    [{ PORT: 'abc' }, 'The environment variable PORT must be a whole number from 0 to 65535; it is "abc".'],
    [{ PORT: '70000' }, 'The environment variable PORT must be a whole number from 0 to 65535; it is "70000".'],
    [
      { MEALTABLE_ORIGIN: 'meal' },
      'The environment variable MEALTABLE_ORIGIN must be an address such as https://mealtable.example.org; it is "meal".',
    ],
    [{ MEALTABLE_NO_AGENT: 'maybe' }, 'The environment variable MEALTABLE_NO_AGENT must be 1 or 0; it is "maybe".'],
    [
      { DATABASE_URL: 'mysql://me:secret@x/y' },
      'The environment variable DATABASE_URL must look like postgresql://user:password@host:5432/database.',
    ],
    [{ MEALTABLE_KEEP_CHECKPOINTS: '0' }, /MEALTABLE_KEEP_CHECKPOINTS must be a whole number from 1; it is "0"/],
  ])('refuses %j', (variables, sentence) => expect(() => parseHubEnv(variables)).toThrow(sentence));
});

describe('a database that goes away', () => {
  it('is told in one sentence, and work goes on when it is back', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-down-'));
    chmodSync(folder, 0o755);
    const said: string[] = [];
    const running = await startHub({
      env: { ...parseHubEnv({}), port: 0, dataDir: folder, localAgent: false },
      pages: 'none',
      log: (line) => said.push(line),
    });
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const url = `http://127.0.0.1:${running.port}/api/trpc/me.get`;
      const ask = async () => fetch(url, { headers: { Authorization: 'Bearer mt_program_unknown' } });
      expect((await ask()).status).toBe(401);
      process.kill(readPidFile(path.join(folder, 'postgres', 'data'))?.pid ?? 0, 'SIGKILL');
      await expect.poll(async () => (await ask()).status).toBe(503);
      expect(await (await ask()).text()).toContain('The database does not answer just now. Try again in a moment.');
      await expect.poll(async () => (await ask()).status, { timeout: 45_000 }).toBe(401);
      await expect
        .poll(() => said)
        .toEqual([expect.stringMatching(/^The database has gone away/), 'The database is back.']);
    } finally {
      quiet.mockRestore();
      await running.close();
      rmSync(folder, { recursive: true });
    }
  });
});
