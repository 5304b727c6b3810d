/**
 * One nvidia-smi that runs as long as the agent and prints every GPU again and again: starting one per look costs more than the look.
 * One that ends is started again, and one that falls silent, as when the driver hangs, is killed first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GpuSample } from '@mealtable/protocol/telemetry';
import type { Gpu } from '../gpus.ts';
import type { Log } from '../log.ts';
import { waitFor } from '../retry.ts';
import { GPU_QUERY, type GpuReading, meanReading, parseGpuReading } from './gpu-readings.ts';

export interface GpuStreamLimits {
  /** Time between two readings. */
  readingMs: number;
  /** Silence after which nvidia-smi is killed. */
  silenceMs: number;
  /** Wait before it is started again. */
  restartMs: number;
}

export const gpuStreamLimits: GpuStreamLimits = { readingMs: 1_000, silenceMs: 20_000, restartMs: 5_000 };

const CLOSE_MS = 1_000;

export interface GpuStreamOptions {
  /** Others that the machine has are left out. A slice of one (MIG) has no line of its own, so it has no sample either. */
  gpus: readonly Gpu[];
  limits: GpuStreamLimits;
  log: Log;
}

export class GpuStream {
  readonly #options: GpuStreamOptions;
  readonly #end = new AbortController();
  readonly #readings = new Map<string, GpuReading[]>();
  readonly #life: Promise<void>;
  /** One word about what is wrong is enough until it works again. */
  #hasToldFault = false;

  constructor(options: GpuStreamOptions) {
    this.#options = options;
    for (const { uuid } of options.gpus) this.#readings.set(uuid, []);
    this.#life = this.#keepAlive();
  }

  /** Means over what was read since the last call; nulls where nothing was. */
  take(): GpuSample[] {
    return this.#options.gpus
      .filter(({ uuid }) => !uuid.startsWith('MIG-'))
      .map(({ uuid, index }) => meanReading(index, this.#readings.get(uuid)?.splice(0) ?? []));
  }

  /** A process that the driver holds cannot be killed, and is not waited for. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.race([this.#life, sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  async #keepAlive(): Promise<void> {
    const { limits } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      this.#tellFault(await this.#runOnce());
      await waitFor(limits.restartMs, signal);
    }
  }

  /** @returns why it is over */
  async #runOnce(): Promise<string> {
    const { limits } = this.#options;
    const { signal } = this.#end;
    let child: ChildProcess;
    try {
      child = spawn('nvidia-smi', [...GPU_QUERY, `--loop-ms=${limits.readingMs}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch (error) {
      // The machine is out of memory; every other reason comes as an event.
      return (error as Error).message;
    }
    let reason = 'it ended';
    const kill = () => void child.kill('SIGKILL');
    const silence = setTimeout(() => {
      reason = `nothing came for ${limits.silenceMs / 1000} s`;
      kill();
    }, limits.silenceMs);
    signal.addEventListener('abort', kill);
    // There is none when the machine is out of file handles, which the event tells.
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (this.#hear(line)) silence.refresh();
      });
    const fault = await gone(child);
    clearTimeout(silence);
    signal.removeEventListener('abort', kill);
    return fault ?? reason;
  }

  #hear(line: string): boolean {
    const reading = parseGpuReading(line);
    if (reading === null) return false;
    this.#hasToldFault = false;
    this.#readings.get(reading.uuid)?.push(reading);
    return true;
  }

  #tellFault(reason: string): void {
    if (this.#end.signal.aborted || this.#hasToldFault) return;
    this.#hasToldFault = true;
    this.#options.log(`nvidia-smi tells nothing of the GPUs (${reason}); it is started again until it does.`);
  }
}

/** Resolves when the process is gone: with a message when it could not be started, else with null. */
function gone(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(null));
  });
}
