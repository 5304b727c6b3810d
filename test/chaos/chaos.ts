/**
 * Runs on a few hosts while everything breaks at random moments, and then the question whether anything was lost, doubled or
 * mixed up. Real hub, Postgres and agents, each a process of its own; a scripted trainer in place of TensorFlow.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesOf } from '../agent/support/agent-process.ts';
import { type Api, connectApi } from '../support/hub-process.ts';
import { FAULTS } from './faults.ts';
import { ChaosHost } from './host.ts';
import { HubUnderTest, insist } from './hub.ts';
import { Link } from './link.ts';
import { bundlePrograms, type ChaosPrograms } from './programs.ts';
import { Random } from './random.ts';
import { readStored, type StoredReport } from './report.ts';
import type { ChaosPlan } from './script.ts';
import { makeDesign, makeWindows, TEACHER_SEED } from './study.ts';
import { TIMES } from './times.ts';
import { findFaults } from './verify.ts';

export interface ChaosOptions {
  seed: number;
  /** At least so many. */
  faults: number;
  /** A teacher and its students, in waves of equal size: the next begins when the last has had its share of the faults. */
  waves: number;
  runsPerWave: number;
  hosts: number;
  slots: number;
  /** Of each run. */
  steps: number;
  /** Between two faults, least and most. */
  gapMs: readonly [number, number];
  log: (line: string) => void;
}

export interface ChaosReport extends StoredReport {
  /** How many of each kind. */
  faults: Record<string, number>;
  seconds: number;
}

/** What is wrong after a test, with all that is needed to look into it. */
export class ChaosFailure extends Error {}

/** As when hub and all agents are away for long on a busy machine. */
const MAX_MISSES = 200;
const SETTLE_MS = 300_000;

/** @throws {ChaosFailure} with every rule that was broken, the faults and the seed */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const programs = await bundlePrograms('test/chaos/trainer.ts', TIMES);
  const root = mkdtempSync(join(tmpdir(), 'mealtable-chaos-'));
  chmodSync(root, 0o755); // as root another user runs Postgres and must get in
  const test = new ChaosTest(options, programs, root);
  try {
    return await test.run();
  } catch (error) {
    throw new ChaosFailure(`${(error as Error).message}\n\n${test.story()}`, { cause: error });
  } finally {
    await test.close();
    programs.remove();
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

class ChaosTest {
  readonly #options: ChaosOptions;
  readonly #programs: ChaosPrograms;
  readonly #root: string;
  readonly #random: Random;
  readonly #hub: HubUnderTest;
  readonly #plan: ChaosPlan;
  readonly #hosts: ChaosHost[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  readonly #story: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #begunAt = performance.now();
  #faults = 0;
  /** Faults in a row that met nothing that they could break. */
  #misses = 0;

  constructor(options: ChaosOptions, programs: ChaosPrograms, root: string) {
    this.#options = options;
    this.#programs = programs;
    this.#root = root;
    this.#random = new Random(options.seed);
    this.#hub = new HubUnderTest(programs.hub, join(root, 'hub'));
    this.#plan = {
      keptDir: join(root, 'kept'),
      paceFile: join(root, 'faults'),
      steps: options.steps,
      checkpointEvery: Math.max(1, Math.round(options.steps / 10)),
      windows: makeWindows(options),
      divergingSeed: options.waves * options.runsPerWave - 1,
    };
  }

  async run(): Promise<ChaosReport> {
    const api = await this.#setUp();
    const cancelledSeed = this.#plan.divergingSeed! - 1;
    const [deckOf, order] = [Object.keys(FAULTS), [] as string[]];
    for (let isCancelled = false; this.#faults < this.#options.faults && !this.#failure; ) {
      await sleep(this.#random.between(...this.#options.gapMs));
      // What met nothing to break stays in the deck, and holds nothing else up.
      if (order.length <= this.#misses) order.unshift(...this.#random.shuffle(deckOf));
      this.#strike(order);
      this.#release();
      if (isCancelled || this.#faults < this.#options.faults - 2) continue;
      isCancelled = true;
      this.#later(this.#cancel(api, cancelledSeed));
    }
    await this.#settle();
    await this.#checkSlots(api);
    return this.#end();
  }

  /** Seed, faults and the last words of the hub. */
  story(): string {
    return [
      `Seed ${this.#options.seed}. The faults:`,
      ...this.#story,
      'The hub said last:',
      ...tail(this.#hub.output),
    ].join('\n');
  }

  /** Whatever has happened: no process is left. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    for (const host of this.#hosts) {
      await host.end('SIGKILL');
      await host.link.close();
    }
    await this.#hub.end('SIGTERM');
    for (const pid of processesOf(this.#root)) process.kill(pid, 'SIGKILL');
  }

  // ---- the field -----------------------------------------------------------------------------------------------------

  async #setUp(): Promise<Api> {
    const { hosts, slots, waves, runsPerWave, seed } = this.#options;
    const dataset = join(this.#root, 'toy');
    for (const folder of ['train/cat', 'train/dog', 'val/cat', 'val/dog']) {
      mkdirSync(join(dataset, folder), { recursive: true });
      writeFileSync(join(dataset, folder, '1.png'), 'an image');
    }
    mkdirSync(this.#plan.keptDir);
    writeFileSync(this.#plan.paceFile, '0');
    const planFile = join(this.#root, 'plan.json');
    writeFileSync(planFile, JSON.stringify(this.#plan));

    await this.#hub.start();
    const owner = await this.#hub.signIn();
    const { token } = await owner.tokens.create.mutate({ kind: 'agent', label: 'chaos' });
    const program = await owner.tokens.create.mutate({ kind: 'program', label: 'chaos', role: 'editor' });
    for (let i = 1; i <= hosts; i++) {
      const link = new Link(this.#hub.port, new Random(seed + i));
      await link.open();
      const name = `host-${i}`;
      this.#hosts.push(
        new ChaosHost(
          {
            ...{ name, slots, token, dataset: `toy=${dataset}`, env: { CHAOS_PLAN: planFile } },
            ...{ agent: this.#programs.agent, trainer: this.#programs.trainer, dir: join(this.#root, name) },
          },
          link,
        ),
      );
    }
    for (const host of this.#hosts) host.start();
    await insist(async () => {
      const known = await owner.hosts.list.query();
      if (known.filter((host) => host.datasets.length > 0).length < hosts) throw new Error('A host is missing.');
    });
    await owner.studies.create.mutate({ name: 'Chaos', notes: '', design: makeDesign(waves * runsPerWave - 1) });
    await this.#hub.query('UPDATE runs SET held_at = now() WHERE seed >= $1', [runsPerWave]);
    return connectApi(this.#hub.url, { authorization: `Bearer ${program.token}` });
  }

  #strike(order: string[]): void {
    const field = {
      hub: this.#hub,
      hosts: this.#hosts,
      random: this.#random,
      leaseMs: TIMES.LEASE_MS,
      later: (work: Promise<unknown>) => this.#later(work),
    };
    const kind = order.shift()!;
    const did = FAULTS[kind]!(field);
    if (did === null) {
      if (++this.#misses > MAX_MISSES) throw new Error(`Nothing can go wrong any more, not even "${kind}".`);
      order.push(kind);
      return;
    }
    this.#misses = 0;
    this.#faults++;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#tell(`${this.#faults}. ${did}`);
    writeFileSync(this.#plan.paceFile, String(this.#faults));
  }

  #tell(line: string): void {
    const at = ((performance.now() - this.#begunAt) / 1000).toFixed(1);
    this.#story.push(`${at} s  ${line}`);
    this.#options.log(this.#story.at(-1)!);
  }

  /** A failure is the test's: it is thrown where the test waits for all of it. */
  #later(work: Promise<unknown>): void {
    const noted: Promise<void> = work.then(
      () => {},
      (error: Error) => {
        this.#tell(`went wrong: ${error.message}`);
        this.#failure ??= error;
      },
    );
    this.#pending.add(noted);
    void noted.then(() => this.#pending.delete(noted));
  }
  #failure: Error | null = null;

  /** The next wave begins when the one before has had its share. */
  #release(): void {
    const { waves, runsPerWave, faults } = this.#options;
    const wave = Math.floor((this.#faults * waves) / faults);
    if (wave <= this.#wave || wave >= waves) return;
    this.#wave = wave;
    const seeds = (wave + 1) * runsPerWave;
    this.#later(insist(() => this.#hub.query('UPDATE runs SET held_at = NULL WHERE seed < $1', [seeds])));
  }
  #wave = 0;

  async #cancel(api: Api, seed: number): Promise<void> {
    const [run] = await insist(() => this.#hub.query<{ id: string }>('SELECT id FROM runs WHERE seed = $1', [seed]));
    await insist(() => api.runs.cancel.mutate({ id: run!.id }));
    this.#tell(`Seed ${seed} is cancelled.`);
  }

  // ---- and after it --------------------------------------------------------------------------------------------------

  async #settle(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure) throw this.#failure;
    for (const host of this.#hosts) host.link.heal();
    this.#tell('Peace.');
    await this.#until('every run to end', async () => {
      const rows = await this.#hub.query<{ seed: number; status: string }>(
        "SELECT seed, status FROM runs WHERE status IN ('queued', 'claimed', 'running')",
      );
      return rows.map(({ seed, status }) => `seed ${seed} is ${status}`);
    });
    await this.#until('every attempt to be dealt with', async () =>
      this.#hosts.flatMap((host) => host.attemptDirs.map((dir) => `${host.name}: ${dir}`)),
    );
    const problems = await findFaults((sql, values) => this.#hub.query(sql, values), this.#plan);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  /** As many runs as there are slots, at the same moment. */
  async #checkSlots(api: Api): Promise<void> {
    const slots = this.#options.hosts * this.#options.slots;
    const first = 1_000;
    const windows = Object.fromEntries(Array.from({ length: slots }, (_, i) => [first + i, [1e9, 2e9]]));
    writeFileSync(join(this.#root, 'plan.json'), JSON.stringify({ ...this.#plan, windows }));
    const [teacher] = await this.#hub.query<{ id: string }>('SELECT id FROM runs WHERE seed = $1', [TEACHER_SEED]);
    const design = makeDesign(slots, first, teacher!.id);
    await api.studies.create.mutate({ name: 'Every slot', notes: '', design });
    const countRunning = async () => {
      const rows = await this.#hub.query('SELECT 1 FROM runs WHERE seed >= $1 AND status = $2', [first, 'running']);
      return rows.length === slots ? [] : [`${rows.length} of ${slots} slots are in use`];
    };
    await this.#until('every slot to be in use', countRunning);
    writeFileSync(this.#plan.paceFile, String(3e9));
    await this.#until('these runs to succeed', async () => {
      const rows = await this.#hub.query<{ status: string }>('SELECT status FROM runs WHERE seed >= $1', [first]);
      return rows.filter(({ status }) => status !== 'succeeded').map(({ status }) => status);
    });
  }

  /** Everybody ends in good order, and no process is left. */
  async #end(): Promise<ChaosReport> {
    for (const host of this.#hosts) {
      const exit = await host.end('SIGTERM');
      if (exit !== 0) throw new Error(`The agent of ${host.name} ended with ${exit}: see ${host.logFile}`);
    }
    const stored = await readStored(this.#hub, this.#hosts);
    const exit = await this.#hub.end('SIGTERM');
    if (exit !== 0) throw new Error(`The hub ended with ${exit}.`);
    const left = processesOf(this.#root);
    if (left.length > 0) throw new Error(`Processes were left behind: ${left.join(', ')}`);
    const seconds = Math.round((performance.now() - this.#begunAt) / 1000);
    return { faults: Object.fromEntries(this.#counts), seconds, ...stored };
  }

  /** @param look what is still missing */
  async #until(what: string, look: () => Promise<string[]>): Promise<void> {
    for (const deadline = performance.now() + SETTLE_MS; ; await sleep(100)) {
      const missing = await look().catch((error: Error) => [error.message]);
      if (missing.length === 0) return;
      if (performance.now() < deadline) continue;
      const logs = this.#hosts.flatMap((host) => [
        `${host.name} said last:`,
        ...tail(readFileSync(host.logFile, 'utf8')),
      ]);
      throw new Error(`Waited ${SETTLE_MS / 1000} s in vain for ${what}:\n${[...missing, ...logs].join('\n')}`);
    }
  }
}

const tail = (text: string): string[] => text.split('\n').slice(-25);
