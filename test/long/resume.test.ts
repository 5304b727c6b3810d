/**
 * A study whose trainers and agent are killed gives the numbers of one that nobody disturbed, byte for byte. `npm run test:resume`
 * (`MEALTABLE_KILL_SEED=n` for other moments): minutes, so it is no part of `npm test`, whose test/system/faults has the short form.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TRPCClientError } from '@trpc/client';
import { afterAll, expect, it } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';
import {
  type Api,
  makeDataDir,
  processesIn,
  removeDataDir,
  signInApi,
  startHubProcess,
  until,
} from '../support/hub-process.ts';
import { smallStudy } from '../support/small-study.ts';
import { type StudyNumbers, studyNumbers } from '../support/study-numbers.ts';

const EPOCHS = 2;
/** Of 1,442 images in batches of 64. */
const STEPS = EPOCHS * 23;
const TRAINER_KILLS = 6;
const killSeed = Number(process.env.MEALTABLE_KILL_SEED ?? 1);

const dataDir = makeDataDir();
const attemptsDir = path.join(dataDir, 'agent', 'attempts');
afterAll(() => removeDataDir(dataDir), 600_000);

/** Two networks are trained first; four students learn from one of them or both, with and without discriminator. */
function design() {
  const base = smallStudy({ epochs: EPOCHS });
  const planned = ['one', 'two'].map((key, seed) => ({ ...base.planned[0]!, key, seed, epochs: EPOCHS }));
  const [one, two] = planned.map(({ key }) => ({ kind: 'planned' as const, key }));
  return { ...base, planned, factors: { ...base.factors, teachers: [[one!], [one!, two!]] } };
}

/** Kills an attempt's trainer when it has recorded a step that is drawn for each attempt, and once the agent. */
class Killer {
  readonly #rng = Rng.seeded(killSeed);
  readonly #doomed = new Map<string, number>();
  /** What died, in order. */
  readonly kills: string[] = [];
  #agentDue: number;

  constructor() {
    this.#agentDue = 1 + Math.floor(this.#rng.stream('agent').uniform() * (TRAINER_KILLS - 1));
  }

  get isDone(): boolean {
    return this.kills.length >= TRAINER_KILLS + 1;
  }

  look(): void {
    if (!existsSync(attemptsDir)) return;
    for (const name of readdirSync(attemptsDir)) {
      if (this.isDone) return;
      this.#lookAt(name);
    }
  }

  #lookAt(name: string): void {
    // An attempt that the agent is about to delete has another name.
    const attempt = Number(/^run_\w+\.(\d+)$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    // Two kills of a run at most: its attempts are limited.
    if (attempt > 2 || this.kills.some((kill) => kill.startsWith(`${name} `))) return;
    const step = lastStep(name);
    if (step === null) return;
    if (!this.#doomed.has(name)) {
      const drawn = this.#rng.stream('trainer', this.#doomed.size).uniform();
      this.#doomed.set(name, Math.max(step, Math.floor(drawn * (STEPS - 2)) + 1));
    }
    if (step < this.#doomed.get(name)!) return;
    if (this.kills.length === this.#agentDue) {
      for (const line of processesIn(dataDir))
        if (line.includes('dist/agent.js')) killProcess(Number.parseInt(line, 10));
      this.kills.push(`agent at step ${step} of ${name}`);
      return;
    }
    const pid = trainerOf(name);
    if (pid !== null && killProcess(pid)) this.kills.push(`${name} at step ${step}`);
  }
}

/** False when it has ended by itself. */
function killProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Null before the first one, and when the agent has just deleted the folder. */
const lastStep = (name: string) =>
  ifThere(() => {
    const { records } = readRecords(path.join(attemptsDir, name, 'records.jsonl'), 0);
    return records.flatMap((record) => (record.kind === 'metrics' ? [record.step] : [])).at(-1) ?? null;
  });
const trainerOf = (name: string): number | null =>
  ifThere(() => JSON.parse(readFileSync(path.join(attemptsDir, name, 'trainer.json'), 'utf8')).process.pid);

function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null when a busy machine's database asks for patience. */
const ifAnswered = <T>(query: Promise<T>): Promise<T | null> =>
  query.catch((error: unknown) => {
    if (error instanceof TRPCClientError && error.message.includes('Try again in a moment')) return null;
    throw error;
  });

async function runStudy(api: Api, name: string, killer: Killer | null): Promise<StudyNumbers> {
  const { id } = await api.studies.create.mutate({ name, notes: '', design: design() });
  const watch = killer && setInterval(() => killer.look(), 20);
  const study = await until(
    `the end of ${name}`,
    async () => {
      const view = await ifAnswered(api.studies.get.query({ id }));
      return view?.runs.every((r) => ['succeeded', 'failed', 'cancelled'].includes(r.status)) && view;
    },
    1_200_000,
  );
  if (watch) clearInterval(watch);
  expect(study.runs.map((r) => [r.variantLabel, r.status, r.failureMessage])).toEqual(
    study.runs.map((r) => [r.variantLabel, 'succeeded', null]),
  );
  expect(study.runs).toHaveLength(6);
  return studyNumbers(api, id);
}

it(`gives the same table and curves after ${TRAINER_KILLS} kills of trainers and one of the agent`, async () => {
  const hub = await startHubProcess(dataDir);
  const api = await signInApi(hub);
  await until('the local host', async () => (await api.hosts.list.query())[0]?.datasets.length);
  const began = performance.now();
  const undisturbed = await runStudy(api, 'Undisturbed', null);
  const between = performance.now();
  const killer = new Killer();
  const killed = await runStudy(api, 'Killed', killer);
  const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(0)} s`;
  const count = Object.keys(undisturbed.curves).length;
  const points = Object.values(undisturbed.curves).reduce((sum, curve) => sum + JSON.parse(curve).length, 0);
  console.log(
    [
      `Undisturbed ${seconds(began, between)}, killed ${seconds(between, performance.now())}; ${count} curves, ${points} points.`,
      ...killer.kills,
    ].join('\n'),
  );
  expect(killer.kills).toHaveLength(TRAINER_KILLS + 1);
  expect(killer.kills.filter((kill) => kill.startsWith('agent'))).toHaveLength(1);
  expect(count).toBeGreaterThan(50);
  expect(killed.table).toBe(undisturbed.table);
  expect(killed.curves).toEqual(undisturbed.curves);
  await hub.end('SIGTERM');
}, 1_800_000);
