/** One training host: a real agent process in a state folder of its own, behind a link of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../trainer/agent/atomic-file.ts';
import { isRunning, ProcessIdentity } from '../../trainer/agent/process-identity.ts';
import type { Link } from './link.ts';

const TrainerNote = z.object({ process: ProcessIdentity, shim: ProcessIdentity.nullable() });

export interface LivingTrainer {
  /** `<runId>.<attempt>` */
  name: string;
  pid: number;
  shimPid: number | null;
}

export interface HostOptions {
  name: string;
  dir: string;
  agent: string;
  trainer: string;
  token: string;
  dataset: string;
  slots: number;
  env: Record<string, string>;
}

export class ChaosHost {
  readonly link: Link;
  readonly #options: HostOptions;
  #child: ChildProcess | null = null;
  #isFrozen = false;

  constructor(options: HostOptions, link: Link) {
    this.#options = options;
    this.link = link;
  }

  get name(): string {
    return this.#options.name;
  }
  get isUp(): boolean {
    return this.#child !== null;
  }
  get isFrozen(): boolean {
    return this.#isFrozen;
  }
  get #attemptsDir(): string {
    return join(this.#options.dir, 'attempts');
  }
  get logFile(): string {
    return `${this.#options.dir}.log`;
  }
  /** Attempts that are not dealt with yet, and what was given up. */
  get attemptDirs(): string[] {
    return existsSync(this.#attemptsDir) ? readdirSync(this.#attemptsDir) : [];
  }

  start(): void {
    const { name, dir, agent, trainer, token, dataset, slots, env } = this.#options;
    const flags = ['--hub', this.link.url, '--token', token, '--dir', dir, '--name', name, '--slots', String(slots)];
    const child = spawn(process.execPath, [agent, ...flags, '--trainer', trainer, '--dataset', dataset], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => appendFileSync(this.logFile, chunk));
    this.#child = child;
    child.once('exit', (code, signal) => {
      appendFileSync(this.logFile, `-- the agent ended: ${code ?? signal}\n`);
      if (this.#child === child) this.#child = null;
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    const child = this.#child;
    if (!child) return null;
    const exited = new Promise<number | string>((resolve) =>
      child.once('exit', (code, name) => resolve(code ?? name!)),
    );
    this.thaw();
    child.kill(signal);
    return exited;
  }

  /** The agent's process does nothing, while its trainers go on. */
  freeze(): void {
    this.#isFrozen = this.#child?.kill('SIGSTOP') ?? false;
  }
  thaw(): void {
    this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** Processor time that the agent has used so far. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child?.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    // utime and stime, in ticks of 10 ms
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  trainers(): LivingTrainer[] {
    return this.attemptDirs.flatMap((name) => {
      const note = readJson(join(this.#attemptsDir, name, 'trainer.json'), TrainerNote);
      return note && isRunning(note.process) ? [{ name, pid: note.process.pid, shimPid: note.shim?.pid ?? null }] : [];
    });
  }
}
