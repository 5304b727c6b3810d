/** The trainer host that comes with the hub: an agent on this machine, in a process of its own. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ORPHAN_EXIT_MS, STOP_GRACE_MS } from '@mealtable/protocol/tunables';
import { findAgentToken, storeToken } from '../auth/tokens.ts';
import type { Hub } from '../context.ts';
import { PROJECT_DIR } from '../project-dir.ts';
import { rotateLog } from '../rotate-log.ts';
import { endAgent, findAgent, worksIn } from './agent-process.ts';

/** Trainers get their grace, and the agent a moment to send what they last wrote. */
const STOP_WAIT_MS = STOP_GRACE_MS + 5_000;
/** How often the hub looks whether its agent still runs. One that died is started again, each time after twice as long. */
const WATCH_MS = 10_000;
const MAX_WATCH_MS = 300_000;

const LOG_FILE = 'agent.log';

export interface LocalAgentOptions {
  /** Where the agent reaches the hub. */
  hubUrl: string;
  /** The agent's bundled program. */
  program?: string;
  watchMs?: number;
  log(line: string): void;
}
export interface LocalAgent {
  /** Ends the agent in good order; its runs are queued again and go on from their checkpoints. */
  stop(): Promise<void>;
}

type LaunchHub = Pick<Hub, 'db' | 'ids' | 'now' | 'env'>;

/** Starts the agent, or goes on with the one that a killed hub left behind: its trainers have kept working. */
export async function startLocalAgent(hub: LaunchHub, options: LocalAgentOptions): Promise<LocalAgent> {
  const stateDir = path.join(hub.env.dataDir, 'agent');
  mkdirSync(stateDir, { recursive: true });
  const { watchMs = WATCH_MS } = options;
  const program = options.program ?? path.join(PROJECT_DIR, 'dist', 'agent.js');
  await provideToken(hub, path.join(stateDir, 'token'));
  await endStranger(stateDir, options.hubUrl);

  let spawned: number | undefined;
  // A new agent has its lock only after a moment.
  const find = () => findAgent(stateDir) ?? (spawned !== undefined && worksIn(spawned, stateDir) ? spawned : null);
  const start = () => {
    spawned = spawnAgent(program, stateDir, hub.env.datasetsDir, options.hubUrl);
  };
  if (find() === null) start();

  let watch: NodeJS.Timeout;
  const watchAfter = (ms: number) => {
    watch = setTimeout(() => {
      const isGone = find() === null;
      if (isGone) {
        options.log(`The local agent has ended; ${path.join(stateDir, LOG_FILE)} says why. It is started again.`);
        start();
      }
      watchAfter(isGone ? Math.min(2 * ms, MAX_WATCH_MS) : watchMs);
    }, ms).unref();
  };
  watchAfter(watchMs);
  return {
    async stop() {
      clearTimeout(watch);
      const pid = find();
      if (pid !== null && !(await endAgent(stateDir, pid, STOP_WAIT_MS)))
        options.log(`The local agent (process ${pid}) is still saving its work and ends by itself.`);
    },
  };
}

/** Made once; made again when it was revoked or the database is another one. */
async function provideToken(hub: LaunchHub, file: string) {
  if (existsSync(file) && (await findAgentToken(hub, readFileSync(file, 'utf8').trim()))) return;
  const { token } = await storeToken(hub, { kind: 'agent', label: 'Local agent' }, null);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
}

/** An agent left behind that knows the hub under another address would never find it again. */
async function endStranger(stateDir: string, hubUrl: string) {
  const file = path.join(stateDir, 'hub-url');
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  const pid = findAgent(stateDir);
  if (pid !== null && known !== hubUrl) await endAgent(stateDir, pid, STOP_WAIT_MS);
  writeFileSync(file, `${hubUrl}\n`);
}

/** Detached, and writing to a file: neither a Ctrl-C nor the hub's death ends what it is training. */
function spawnAgent(program: string, stateDir: string, datasetsDir: string | null, hubUrl: string): number | undefined {
  rotateLog(path.join(stateDir, LOG_FILE));
  const log = openSync(path.join(stateDir, LOG_FILE), 'a');
  const args = [
    ...[program, '--hub', hubUrl, '--token-file', path.join(stateDir, 'token'), '--dir', stateDir],
    ...['--orphan-exit-ms', String(ORPHAN_EXIT_MS)],
    ...(datasetsDir === null ? [] : ['--datasets-dir', datasetsDir]),
  ];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: PROJECT_DIR,
    // The database's password is not for agents, nor for the trainers, which inherit what they get.
    env: { ...process.env, DATABASE_URL: undefined },
  });
  closeSync(log);
  // Node itself not starting is told by the watch like any other end.
  child.on('error', () => {});
  child.unref();
  return child.pid;
}
