/** One run as an agent starts it: a trainer process with one thread, timed from its start to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import { makeAttempt, makeJob, recordsOf } from '../../test/support/trainer-process.ts';
import type { TeacherFile } from '../../trainer/train/job.ts';
import { DATASET } from './grid.ts';

export interface Outcome {
  seconds: number;
  /** Processor time of all its threads, which other work on the machine changes far less than wall time. Null: not told, see `cpuOfEnded`. */
  cpuSeconds: number | null;
  /** Of the best epoch, in percent. */
  top1: number;
  /** Of every step, then every epoch. */
  metrics: Record<string, number>[];
}

/** Ticks of /proc in a second, on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Processor seconds of all processes that this one started and that have ended, so it says what one run took only while no
 * other runs beside it. Null on systems that do not tell.
 */
function cpuOfEnded(): number | null {
  let stat: string;
  try {
    stat = readFileSync('/proc/self/stat', 'utf8');
  } catch {
    return null; // No Linux.
  }
  // proc(5): cutime and cstime are fields 16 and 17; what follows the program's name in brackets begins with the third.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
    .map(Number);
  return (user! + system!) / TICKS;
}

/** An interrupted benchmark leaves no trainer behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Workplace {
  /** The bundled trainer. */
  program: string;
  /** Attempts, and what a host caches: labels and graphs. */
  root: string;
}

/** Files of the run stay in `<root>/<name>` with `keep`. Throws with the trainer's own words when it fails. */
export async function runTrainer(
  { program, root }: Workplace,
  name: string,
  config: TrainingConfig,
  teacherPaths: TeacherFile[],
  keep = false,
): Promise<Outcome> {
  const folder = join(root, name);
  makeAttempt(folder, makeJob(config, DATASET, { teacherPaths, threads: 1 }));
  const cpuBefore = cpuOfEnded();
  const began = performance.now();
  const child = spawn(process.execPath, [program, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, MEALTABLE_CACHE: join(root, 'cache') },
  });
  running.add(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  running.delete(child);
  const seconds = (performance.now() - began) / 1000;
  const cpuAfter = cpuOfEnded();
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr}`);
  const metrics = recordsOf(folder).flatMap((r) => (r.kind === 'metrics' ? [r.values as Record<string, number>] : []));
  if (!keep) rmSync(folder, { recursive: true });
  return {
    seconds,
    cpuSeconds: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
    metrics,
    top1: Math.max(...metrics.flatMap((values) => values['val/top1'] ?? [])),
  };
}
