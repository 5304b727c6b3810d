/** One contender's process: started, loaded, asked for turns one at a time, ended. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Ready, Turn } from './job.ts';

/** Every process that is alive, so that none outlives an interrupted benchmark. */
const alive = new Set<ContenderProcess>();
process.on('exit', () => {
  for (const contender of alive) contender.kill();
});

/** Its error output is kept to the last lines, for the message when it dies. */
const KEPT_ERROR_BYTES = 4000;

export class ContenderProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #errorOutput = '';

  private constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-KEPT_ERROR_BYTES);
    });
    // Writing to a process that has died; the read that follows reports it.
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => {
      this.#errorOutput += error.message;
    });
    alive.add(this);
  }

  /** Resolves once the contender has loaded. Throws, with what it last wrote to stderr, when it dies instead. */
  static async start(file: string, args: readonly string[]): Promise<{ contender: ContenderProcess; ready: Ready }> {
    const contender = new ContenderProcess(file, args);
    try {
      return { contender, ready: (await contender.#read<{ ready: Ready }>()).ready };
    } catch (error) {
      await contender.end();
      throw error;
    }
  }

  /** Seconds that `steps` steps take it now. */
  async turn(steps: number): Promise<number> {
    this.#child.stdin.write(`${JSON.stringify({ steps })}\n`);
    return (await this.#read<Turn>()).seconds;
  }

  /** Largest resident memory in bytes since its start or the last `forgetPeak`; null where the system does not say (not Linux). */
  peakBytes(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      const kilobytes = status.match(/^VmHWM:\s+(\d+) kB$/m)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    } catch {
      return null;
    }
  }

  /** Starts the peak anew, so that loading and tracing do not count. Does nothing where the system has no such switch. */
  forgetPeak(): void {
    try {
      writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
    } catch {
      // Not Linux, or not allowed: the peak then includes loading.
    }
  }

  /** User and system time of the process in clock ticks; 0 where the system does not say. */
  cpuTicks(): number {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11]) + Number(fields[12]);
    } catch {
      return 0;
    }
  }

  /** Lets it go and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) {
      const exited = once(this.#child, 'exit');
      this.#child.stdin.end();
      const overdue = setTimeout(() => this.kill(), 10_000);
      await exited;
      clearTimeout(overdue);
    }
    this.#reader.close();
    alive.delete(this);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The next line that is JSON; libraries may print others. */
  async #read<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(await this.#obituary());
      if ((value as string).startsWith('{')) return JSON.parse(value as string) as T;
    }
  }

  async #obituary(): Promise<string> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit');
    }
    const { exitCode, signalCode } = this.#child;
    const ending = signalCode === null ? `ended with exit code ${exitCode}` : `was ended by ${signalCode}`;
    const hint = signalCode === 'SIGKILL' ? ' (as the system does when memory runs out)' : '';
    const lines = this.#errorOutput.trim().split('\n');
    // The line that names the error; a stack trace follows it in Node, precedes it in Python.
    const named = lines.findLast((line) => /^\w*(Error|CannotCapture|Exit)\b/.test(line)) ?? lines.at(-1) ?? '';
    return `the process ${ending}${hint}: ${named}`;
  }
}
