/**
 * A trainer's process. It leads a process group of its own and is controlled by signals alone, so it outlives an agent
 * that is killed, and the next agent can adopt it. Where a shim can run, that owns the trainer; else the agent does.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { OUTPUT_STREAMS } from '@mealtable/protocol/output';
import { hasCode } from './atomic-file.ts';
import type { AttemptDir, TrainerFile } from './attempt-dir.ts';
import type { TrainerExit } from './judge-exit.ts';
import {
  environmentOf,
  findByCommand,
  findByEnvironment,
  identifyProcess,
  isFromEarlierBoot,
  isRunning,
  type ProcessIdentity,
} from './process-identity.ts';
import { isShim, startWithShim } from './shim.ts';

export interface TrainerCommand {
  program: string;
  args: string[];
  env: Record<string, string | undefined>;
}

export interface TrainerProcess {
  identity: ProcessIdentity;
  /** Resolves when the process is gone, with everything it left. */
  exited: Promise<TrainerExit>;
}

/** In the environment of a trainer and all that it starts: which attempt they are of, by its folder. */
const ATTEMPT_VARIABLE = 'MEALTABLE_ATTEMPT';
const POLL_MS = 10;
/** Open files for stdout and stderr, in this order. */
export type OutputFds = number[];

/**
 * Starts a trainer; stdout and stderr go to files of the attempt.
 * @param shim null where none can run @param pollMs between looks at a process that is not this one's child
 * @throws file errors, and the start's own (ENOENT, EAGAIN)
 */
export async function startTrainer(
  command: TrainerCommand,
  dir: AttemptDir,
  slot: number,
  shim: string | null,
  pollMs: () => number,
): Promise<TrainerProcess> {
  // To append, so that a file that is emptied meanwhile goes on at its new end.
  const output: OutputFds = [];
  try {
    for (const stream of OUTPUT_STREAMS) output.push(openSync(dir.output(stream), 'a'));
    if (shim === null) return await startAsChild(command, dir, slot, output);
    const started = await startWithShim(shim, dir, slot, command, output);
    if (started === null) return (await findTrainer(dir, pollMs)) ?? alreadyGone(dir);
    const { process } = dir.readTrainer()!;
    return { identity: process, exited: started.gone.then(() => followWithoutShim(dir, process, pollMs)) };
  } finally {
    for (const fd of output) closeSync(fd);
  }
}

async function startAsChild(
  command: TrainerCommand,
  dir: AttemptDir,
  slot: number,
  output: OutputFds,
): Promise<TrainerProcess> {
  const child = spawn(command.program, command.args, {
    cwd: dir.path,
    env: { ...(command.env as NodeJS.ProcessEnv), [ATTEMPT_VARIABLE]: dir.path },
    detached: true,
    stdio: ['ignore', ...output],
  });
  const exited = new Promise<TrainerExit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      if (child.pid) send(-child.pid, 'SIGKILL');
      endLeftovers(dir);
      resolve({ seen: true, exitCode, signal, memory: null });
    });
  });
  if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
  child.on('error', () => {}); // a signal that could not be sent; its end is noticed all the same
  child.unref();
  const identity = identifyProcess(child.pid) ?? { pid: child.pid, startedAt: 'gone at once' };
  try {
    dir.writeTrainer({ process: identity, shim: null, slot });
  } catch (error) {
    // Nobody would know of it after a restart.
    killTrainer(identity);
    throw error;
  }
  return { identity, exited };
}

/** The trainer that an earlier agent started, if it still runs or is being cleared away. */
export async function findTrainer(dir: AttemptDir, pollMs: () => number): Promise<TrainerProcess | null> {
  for (;;) {
    const note = dir.readTrainer();
    if (note) return [note.process, note.shim].some((p) => p && isRunning(p)) ? adopt(dir, note, pollMs) : null;
    if (!dir.mayHaveTrainer) return null;
    // The agent was killed while it started the trainer: a shim is about to write its note, or there is none and never will be.
    let ofShim = false;
    const process = findByCommand((words) => {
      ofShim = isShim(words);
      return words.includes(dir.path);
    });
    if (process === null) return dir.readTrainer() ? findTrainer(dir, pollMs) : null;
    if (!ofShim) return adopt(dir, { process, shim: null, slot: 0 }, pollMs);
    await sleep(POLL_MS);
  }
}

function adopt(dir: AttemptDir, { process, shim }: TrainerFile, pollMs: () => number): TrainerProcess {
  const follow = async () => {
    while (shim && isRunning(shim)) await sleep(pollMs(), undefined, { ref: false });
    return followWithoutShim(dir, process, pollMs);
  };
  return { identity: process, exited: follow() };
}

/** To the end of a trainer whose shim is gone: as a rule it has ended, unless somebody killed the shim. */
async function followWithoutShim(
  dir: AttemptDir,
  trainer: ProcessIdentity,
  pollMs: () => number,
): Promise<TrainerExit> {
  while (isRunning(trainer)) await sleep(pollMs(), undefined, { ref: false });
  endLeftovers(dir);
  return readExit(dir);
}

/** How a trainer ended that is gone: what its shim saw, or else what it wrote itself. */
export function readExit(dir: AttemptDir): TrainerExit {
  const exit = dir.readTrainerExit();
  if (exit) return { seen: true, exitCode: exit.exitCode, signal: nameSignal(exit.signal), memory: exit.memory };
  const process = dir.readTrainer()?.process;
  return { seen: false, exitCode: dir.readExitCode(), rebooted: process !== undefined && isFromEarlierBoot(process) };
}

const alreadyGone = (dir: AttemptDir): TrainerProcess => ({
  identity: dir.readTrainer()!.process,
  exited: Promise.resolve(readExit(dir)),
});

function nameSignal(number: number | null): string | null {
  if (number === null) return null;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}

/** Ends processes that the trainer left behind and that no shim has swept: daemons out of its group, found by their environment. */
export function endLeftovers(dir: AttemptDir): void {
  for (const pid of findByEnvironment(`${ATTEMPT_VARIABLE}=${dir.path}`)) send(pid, 'SIGKILL');
}

/** Whether a process belongs to a trainer whose attempt's folder is in this one. */
export function isOfTrainer(pid: number, attemptsDir: string): boolean {
  return environmentOf(pid).some((entry) => entry.startsWith(`${ATTEMPT_VARIABLE}=${attemptsDir}/`));
}

/** Signals the trainer itself, unless its number has passed to another process. */
export function signalTrainer(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isRunning(identity)) send(identity.pid, signal);
}

/** Ends the trainer and its process group, at once. */
export function killTrainer(identity: ProcessIdentity): void {
  if (isRunning(identity)) send(-identity.pid, 'SIGKILL');
}

/** @param target a process, or a process group as a negative number */
function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // Gone between the look and the signal.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
