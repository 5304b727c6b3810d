/** The hub as a process that can be killed, with the Postgres that it starts, and a way to ask it that bears its absence. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Api, signInApi } from '../support/hub-process.ts';

/** A start on a busy machine, with a database to be recovered. */
const START_LIMIT_MS = 120_000;
/** Postgres may be killed while the hub starts. */
const START_TRIES = 5;

export class HubUnderTest {
  readonly dataDir: string;
  readonly #program: string;
  #child: ChildProcess | null = null;
  #port = 0;
  #databaseUrl = '';
  #ownerLink = '';
  #output = '';

  constructor(program: string, dataDir: string) {
    this.#program = program;
    this.dataDir = dataDir;
    mkdirSync(dataDir, { recursive: true });
  }

  get port(): number {
    return this.#port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }
  get isUp(): boolean {
    return this.#child !== null;
  }
  /** All that the hubs printed. */
  get output(): string {
    return this.#output;
  }

  /** On the port and the data of the last one. Resolves when it serves; one that ends before that is started again. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#startOnce();
      } catch (error) {
        if (tries === START_TRIES) throw error;
      }
    }
  }

  async #startOnce(): Promise<void> {
    const child = spawn(process.execPath, [this.#program], {
      env: {
        ...process.env,
        PORT: String(this.#port),
        MEALTABLE_DATA: this.dataDir,
        MEALTABLE_NO_AGENT: '1',
        DATABASE_URL: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk;
        this.#output += chunk;
      });
    const deadline = performance.now() + START_LIMIT_MS;
    for (;;) {
      const up = said.match(/^UP (.*)$/m)?.[1];
      if (up) {
        const { port, ownerLink, databaseUrl } = JSON.parse(up);
        [this.#port, this.#ownerLink, this.#databaseUrl] = [port, ownerLink, databaseUrl];
        this.#child = child;
        child.once('exit', () => {
          if (this.#child === child) this.#child = null;
        });
        return;
      }
      if (child.exitCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`The hub did not start:\n${said}`);
      }
      await sleep(20);
    }
  }

  /** Sends the signal and waits for the end. @returns the exit code, or the signal's name */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    const child = this.#child;
    if (!child) return null;
    const exited = new Promise<number | string>((resolve) =>
      child.once('exit', (code, name) => resolve(code ?? name!)),
    );
    child.kill(signal);
    return exited;
  }

  /** Number of Postgres's first process; null while there is none. */
  postgresPid(): number | null {
    try {
      return Number(readFileSync(join(this.dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    } catch {
      return null; // not running
    }
  }

  /** A query past the hub, straight to the database. */
  async query<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.#databaseUrl, connectionTimeoutMillis: 10_000 });
    client.on('error', () => {}); // the query says so
    await client.connect();
    try {
      return (await client.query(sql, values)).rows as T[];
    } finally {
      await client.end();
    }
  }

  /** The API as the owner: the link works once, soon after the start. */
  signIn(): Promise<Api> {
    return signInApi({ url: this.url, ownerLink: this.#ownerLink });
  }
}

/** Asks until there is an answer, while hub or database are away. The question must bear to be asked twice. */
export async function insist<T>(question: () => Promise<T>, limitMs = 120_000): Promise<T> {
  for (const deadline = performance.now() + limitMs; ; await sleep(250)) {
    try {
      return await question();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
