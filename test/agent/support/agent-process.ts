/** A real agent process at a test hub, in a state folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { Programs } from './programs.ts';
import { TOKEN } from './test-hub.ts';
import { waitUntil } from './wait-until.ts';

export class AgentProcess {
  readonly child: ChildProcess;
  output = '';
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;

  constructor(program: string, args: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env } });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk;
      });
    this.exited = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(code ?? signal!)));
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return this.exited;
  }
}

export class Host {
  readonly dir = mkdtempSync(join(tmpdir(), 'mealtable-agent-'));
  readonly #programs: Programs;
  readonly #hub: { url: string; token?: string };
  readonly #agents: AgentProcess[] = [];

  constructor(programs: Programs, hub: { url: string; token?: string }) {
    this.#programs = programs;
    this.#hub = hub;
    for (const folder of ['train/cat', 'train/dog', 'val/cat', 'val/dog']) {
      mkdirSync(join(this.dir, 'toy', folder), { recursive: true });
      writeFileSync(join(this.dir, 'toy', folder, '1.png'), 'an image');
    }
  }

  /** Starts an agent in this host's state folder. */
  start(extra: string[] = [], env: Record<string, string> = {}): AgentProcess {
    const { agent, trainer } = this.#programs;
    const flags = ['--hub', this.#hub.url, '--token', this.#hub.token ?? TOKEN, '--dir', join(this.dir, 'state')];
    const made = new AgentProcess(
      agent,
      [...flags, '--trainer', trainer, '--dataset', `toy=${join(this.dir, 'toy')}`, ...extra],
      env,
    );
    this.#agents.push(made);
    return made;
  }

  attemptDir({ runId, attempt }: AttemptRef): string {
    return join(this.dir, 'state', 'attempts', `${runId}.${attempt}`);
  }
  get attemptDirs(): string[] {
    const folder = join(this.dir, 'state', 'attempts');
    return existsSync(folder) ? readdirSync(folder) : [];
  }
  /** Number of the trainer's process, once it runs. */
  async trainerPid(ref: AttemptRef): Promise<number> {
    return (await this.trainerNote(ref)).process.pid;
  }
  /** Number of the process that owns the trainer. */
  async shimPid(ref: AttemptRef): Promise<number> {
    return (await this.trainerNote(ref)).shim.pid;
  }
  async trainerNote(ref: AttemptRef): Promise<Record<'process' | 'shim', { pid: number; startedAt: string }>> {
    const path = join(this.attemptDir(ref), 'trainer.json');
    await waitUntil(`${path} is there`, () => existsSync(path));
    return JSON.parse(readFileSync(path, 'utf8'));
  }
  /** Lets a trainer with `holdAt` go on. */
  release(ref: AttemptRef): void {
    writeFileSync(join(this.attemptDir(ref), 'go'), '');
  }

  /** Stops what runs and fails when a process of this host is left. */
  async close(): Promise<void> {
    for (const agent of this.#agents)
      if (agent.child.exitCode === null && agent.child.signalCode === null) await agent.kill('SIGKILL');
    const left = processesOf(this.dir);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`Processes were left behind: ${left.join(', ')}`);
  }
}

/** Living processes with the folder among their arguments. Only Linux can be asked. */
export function processesOf(dir: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isZombie = / [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'utf8').split(')').at(-1)!);
      const isHere = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(dir);
      return isHere && !isZombie ? [Number(name)] : [];
    } catch {
      return []; // gone between two looks
    }
  });
}
