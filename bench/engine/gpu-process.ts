/** A side of the GPU benchmark: a process that loads, then does as many steps as it is told, and ends with its stdin. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** What a side answers; the rest is written down as it is. */
export interface GpuTurn {
  seconds: number;
  [detail: string]: unknown;
}

export class GpuProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #log: string;

  /** Its error output goes to the file `log`: what a library says about a GPU that it does not use is a finding too. */
  constructor(file: string, args: readonly string[], log: string) {
    const errors = openSync(log, 'a');
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', errors] }) as ChildProcessByStdio<
      Writable,
      Readable,
      null
    >;
    closeSync(errors);
    this.#log = log;
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    // Both are reported by the read that follows.
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => {});
  }

  /** Resolves to what it says once it has loaded. Throws, with the end of its error output, when it dies instead. */
  async ready(): Promise<object> {
    return (await this.#read<{ ready: object }>()).ready;
  }

  async turn(steps: number): Promise<GpuTurn> {
    this.#child.stdin.write(`${JSON.stringify({ steps })}\n`);
    return this.#read<GpuTurn>();
  }

  /** Lets it go and waits until it is gone, with its memory. */
  async end(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    const overdue = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(overdue);
  }

  /** The next line that is JSON; libraries may print others. */
  async #read<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`The process died. It last wrote: ${readFileSync(this.#log, 'utf8').slice(-1500)}`);
      if ((value as string).startsWith('{')) return JSON.parse(value as string) as T;
    }
  }
}
