/** One case: all its contenders loaded, measured in turns, and let go. */
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type CaseResult, type LeftOut, type Record, summarise } from './case-result.ts';
import type { Case } from './cases.ts';
import { ContenderProcess } from './contender-process.ts';
import { type Contender, type ContenderId, commandOf } from './contenders.ts';
import type { Job, Ready } from './job.ts';
import { foreignShare, readCpuTicks } from './machine.ts';
import { stepsFor } from './statistics.ts';
import { LEARNING_RATE, SGD_OPTIONS } from './steps.ts';

const execute = promisify(execFile);

export interface MeasureOptions {
  python: string;
  threads: number;
  rounds: number;
  /** Length that a contender's turn should have. */
  turnSeconds: number;
  /** For weights, batches and graphs. */
  folder: string;
  /** Told what is going on, a line at a time. */
  log(line: string): void;
}

/** A contender in its process. */
interface Entrant {
  contender: Contender;
  process: ContenderProcess;
  ready: Ready;
  /** Steps that make a turn of the wanted length. */
  steps: number;
  rounds: number[];
  loadPeakBytes: number | null;
}

/**
 * Measures the contenders round by round, so that only one works at a time. One that cannot run the case, or dies, is left out
 * with the reason.
 */
export async function measureCase(
  measured: Case,
  contenders: readonly Contender[],
  options: MeasureOptions,
): Promise<CaseResult> {
  const leftOut: LeftOut[] = [];
  const drop = (id: ContenderId, reason: string) => {
    leftOut.push({ id, reason });
    options.log(`  without ${id}: ${reason}`);
  };
  const job = await prepare(measured, options);
  const entrants: Entrant[] = [];
  try {
    for (const contender of contenders) {
      const refusal = contender.refuses(measured);
      if (refusal !== null) drop(contender.id, refusal);
      else {
        try {
          entrants.push(await enter(contender, job, options));
        } catch (error) {
          drop(contender.id, (error as Error).message);
        }
      }
    }
    const share = await runRounds(entrants, measured.batch, options, drop);
    return summarise(measured, entrants.map(recordOf), leftOut, share);
  } finally {
    for (const { process } of entrants) await process.end();
    await rm(job.folder, { recursive: true });
  }
}

/** Captures the case twice, in one fresh process each: without a cached graph, and with the one that the first left. */
export async function measureCapture(
  measured: Case,
  captured: Contender,
  options: MeasureOptions,
): Promise<{ cold: NonNullable<Ready['capture']>; cached: NonNullable<Ready['capture']> }> {
  const job = await prepare(measured, options);
  const once = async () => {
    const { file, args } = commandOf(captured, options.python, { ...job, contender: captured.id });
    const { contender, ready } = await ContenderProcess.start(file, args);
    await contender.end();
    return ready.capture!;
  };
  try {
    return { cold: await once(), cached: await once() };
  } finally {
    await rm(job.folder, { recursive: true });
  }
}

/** Writes the common weights and batch, in a process of its own whose memory is then gone. */
async function prepare(measured: Case, options: MeasureOptions): Promise<Omit<Job, 'contender'>> {
  const folder = path.join(options.folder, measured.id);
  const cacheFolder = path.join(folder, 'graphs');
  await mkdir(cacheFolder, { recursive: true });
  const job = {
    case: measured,
    threads: options.threads,
    folder,
    learningRate: LEARNING_RATE,
    momentum: SGD_OPTIONS.momentum,
    cacheFolder,
  };
  const program = path.join(import.meta.dirname, 'prepare.ts');
  await execute(process.execPath, ['--import', 'tsx', program, JSON.stringify(job)]);
  return job;
}

/** Starts a contender and lets it warm up: one turn in which allocators and graphs settle, one to know its pace. */
async function enter(contender: Contender, job: Omit<Job, 'contender'>, options: MeasureOptions): Promise<Entrant> {
  const { file, args } = commandOf(contender, options.python, { ...job, contender: contender.id });
  const { contender: process, ready } = await ContenderProcess.start(file, args);
  try {
    await process.turn(1);
    const steps = stepsFor(options.turnSeconds, await process.turn(1));
    return { contender, process, ready, steps, rounds: [], loadPeakBytes: process.peakBytes() };
  } catch (error) {
    await process.end();
    throw error;
  }
}

/** Fills in the rates. Returns the share of the cores that others took meanwhile. */
async function runRounds(
  entrants: Entrant[],
  batch: number,
  options: MeasureOptions,
  drop: (id: ContenderId, reason: string) => void,
): Promise<number | null> {
  for (const { process } of entrants) process.forgetPeak();
  const before = readCpuTicks();
  const ownBefore = ownTicks(entrants);
  for (let round = 1; round <= options.rounds; round++) {
    for (const entrant of [...entrants]) {
      try {
        entrant.rounds.push((batch * entrant.steps) / (await entrant.process.turn(entrant.steps)));
      } catch (error) {
        entrants.splice(entrants.indexOf(entrant), 1);
        drop(entrant.contender.id, (error as Error).message);
        await entrant.process.end();
      }
    }
    const rates = entrants.map(({ contender, rounds }) => `${contender.id} ${rounds.at(-1)!.toFixed(2)}`);
    options.log(`  round ${round}, images/s: ${rates.join('  ')}`);
  }
  const after = readCpuTicks();
  return before === null || after === null ? null : foreignShare(before, after, ownTicks(entrants) - ownBefore);
}

function ownTicks(entrants: readonly Entrant[]): number {
  return entrants.reduce((sum, { process }) => sum + process.cpuTicks(), 0);
}

function recordOf({ contender, ready, rounds, process, loadPeakBytes }: Entrant): Record {
  const stepPeakBytes = process.peakBytes();
  const peakBytes = loadPeakBytes === null ? null : Math.max(loadPeakBytes, stepPeakBytes ?? 0);
  return { id: contender.id, ready, rounds, peakBytes, stepPeakBytes };
}
