/** The hub as its users run it: a process of its own with the embedded database and the local agent. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTRPCClient, httpLink } from '@trpc/client';
import superjson from 'superjson';
import type { AppRouter } from '../../server/api/root.ts';
import { followLink } from './follow-link.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface HubProcess {
  url: string;
  dataDir: string;
  ownerLink: string;
  process: ChildProcess;
  /** All that it printed. */
  output(): string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** A data folder that the database's own user can reach too. */
export function makeDataDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-system-'));
  chmodSync(dir, 0o755);
  return dir;
}

export async function startHubProcess(
  dataDir: string,
  port = 0,
  env: Record<string, string> = {},
): Promise<HubProcess> {
  const child = spawn(process.execPath, ['dist/hub.js'], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      MEALTABLE_DATA: dataDir,
      DATABASE_URL: '',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ dataDir, child });
  let output = '';
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const ownerLink = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const link = output.match(/Sign in once by:\s+(\S+)/)?.[1];
      if (link) resolve(link);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`The hub ended before it was up:\n${output}`)));
  });
  return {
    url: new URL(ownerLink).origin,
    dataDir,
    ownerLink,
    process: child,
    output: () => output,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

export type Api = ReturnType<typeof createTRPCClient<AppRouter>>;

/** The API as a signed-in owner, or as a program with its token. */
export function connectApi(url: string, headers: Record<string, string>): Api {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/api/trpc`, transformer: superjson, headers })],
  });
}

export async function signInApi(hub: Pick<HubProcess, 'url' | 'ownerLink'>): Promise<Api> {
  const cookie = await followLink(hub.ownerLink);
  if (cookie === null) throw new Error('The one-time link did not sign in.');
  return connectApi(hub.url, { cookie, origin: hub.url });
}

/** Polls until `look` gives something; the last thing seen is in the error when it never does. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>, limitMs = 120_000) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > deadline) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Processes whose arguments or working folder name the data folder, whoever started them. */
export function processesIn(dataDir: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(dataDir) ? [`${pid} ${command}`] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** Hubs name their folder in the environment only, where it cannot be looked up. */
const started: { dataDir: string; child: ChildProcess }[] = [];

/** Ends whatever a failed test left at work there, then the folder itself. */
export function removeDataDir(dataDir: string) {
  for (const hub of started) if (hub.dataDir === dataDir) hub.child.kill('SIGKILL');
  for (const line of processesIn(dataDir)) {
    try {
      process.kill(Number(line.split(' ', 1)[0]), 'SIGKILL');
    } catch {
      // ended meanwhile
    }
  }
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Memory in bytes of the processes and all their children, shared pages counted once (PSS). */
export function memoryOf(pids: number[]): number {
  const children = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const all = new Set(pids);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of children)
      if (all.has(parent) && !all.has(pid)) {
        all.add(pid);
        grown = true;
      }
  }
  return [...all].reduce((sum, pid) => {
    try {
      const kb = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)?.[1];
      return sum + Number(kb ?? 0) * 1024;
    } catch {
      return sum;
    }
  }, 0);
}
