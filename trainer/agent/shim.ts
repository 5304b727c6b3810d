/** The program that owns a trainer and writes down how it ended: trainer-shim.pl, started once for each trainer. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { AttemptDir } from './attempt-dir.ts';
import type { Log } from './log.ts';
import type { OutputFds, TrainerCommand } from './trainer-process.ts';

const PROGRAM = 'trainer-shim.pl';
/** What it uses. Debian and Ubuntu have all of it in perl-base; others may lack a part. */
const MODULES = ['-MPOSIX', '-MFcntl', '-MIO::Handle', '-e', '1'];

/** Path of the shim, or null with the reason in the log where it cannot run: trainers are then the agent's own children. */
export async function findShim(programDir: string, log: Log): Promise<string | null> {
  const why = await explainNoShim(join(programDir, PROGRAM));
  if (why === null) return join(programDir, PROGRAM);
  log(
    `${why} Trainers survive a restart of this agent all the same, but how one ended meanwhile is then known only by what it wrote itself.`,
  );
  return null;
}

async function explainNoShim(path: string): Promise<string | null> {
  if (process.platform !== 'linux') return `Trainers are supervised by a small program on Linux only.`;
  if (!existsSync(path)) return `${path} is missing: build the project.`;
  try {
    await promisify(execFile)('perl', MODULES);
    return null;
  } catch {
    // ENOENT without perl, an exit code without the modules.
    return 'This machine has no perl (Debian and Ubuntu: perl-base) that could supervise trainers.';
  }
}

export interface StartedShim {
  /** Resolves when the shim is gone. */
  gone: Promise<void>;
}

/**
 * Starts a trainer under a shim; returns when it runs and trainer.json is written.
 * @param output open files for stdout and stderr
 * @returns null when a trainer already runs in this folder
 * @throws with `code`, as spawn does, when shim or trainer cannot be started
 */
export async function startWithShim(
  shim: string,
  dir: AttemptDir,
  slot: number,
  command: TrainerCommand,
  output: OutputFds,
): Promise<StartedShim | null> {
  const child = spawn('perl', [shim, dir.path, String(slot), command.program, ...command.args], {
    cwd: dir.path,
    env: command.env as NodeJS.ProcessEnv,
    detached: true,
    stdio: ['ignore', ...output, 'pipe'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
  child.on('error', () => {}); // nothing is asked of it that could fail
  child.unref();
  const word = (await text(child.stdio[3] as Readable)).trim();
  if (word === 'started') return { gone };
  await gone;
  if (word === 'busy') return null;
  const [, errno, message] = /^failed (\d+) (.*)$/.exec(word) ?? [];
  const code = Object.entries(constants.errno).find(([, number]) => number === Number(errno))?.[0];
  throw Object.assign(new Error(message ?? 'the program that supervises it ended at once'), { code });
}

/** Whether this command line is a shim's, or that of its child before it becomes the trainer. */
export const isShim = (words: string[]): boolean => words.some((word) => basename(word) === PROGRAM);
