/** The Python process that is measured beside us. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

type Child = ChildProcessByStdio<Writable, Readable, null>;

export class Peer {
  readonly #process: Child;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  /** Versions of what is measured. */
  readonly versions: Record<string, string>;

  private constructor(process: Child, reader: Interface, lines: AsyncIterator<string>, versions: string) {
    this.#process = process;
    this.#reader = reader;
    this.#lines = lines;
    this.versions = JSON.parse(versions);
  }

  /** @param python a Python that can import torchvision and PIL */
  static async start(python: string, inputSize: number): Promise<Peer> {
    const child = spawn(python, [join(import.meta.dirname, 'peer.py'), String(inputSize)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const reader = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} cannot run the peer: it needs torchvision and Pillow.`);
    return new Peer(child, reader, lines, value);
  }

  /** Seconds of processor time for all paths. */
  async measure(recipe: string, paths: readonly string[]): Promise<number> {
    this.#process.stdin.write(`${JSON.stringify({ recipe, paths })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('The peer ended in the middle of a measurement.');
    return (JSON.parse(value) as { cpuSeconds: number }).cpuSeconds;
  }

  async stop(): Promise<void> {
    this.#process.stdin.end();
    await new Promise((resolve) => this.#process.once('close', resolve));
    this.#reader.close();
  }
}
