/**
 * A trainer's process. It leads a process group of its own and is controlled by signals alone, so it outlives an agent
 * that is killed, and the next agent can adopt it.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './atomic-file.ts';
import type { TrainerExit } from './judge-exit.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

export interface TrainerCommand {
  program: string;
  args: string[];
  env: Record<string, string | undefined>;
}

export interface TrainerProcess {
  identity: ProcessIdentity;
  /** Resolves when the process is gone, with everything it left in its group. */
  exited: Promise<TrainerExit>;
}

/**
 * Starts a trainer; stdout and stderr go to the file.
 * @throws file errors, and the spawn's own (ENOENT, EAGAIN)
 */
export async function startTrainer(command: TrainerCommand, dir: string, outputPath: string): Promise<TrainerProcess> {
  const output = openSync(outputPath, 'a');
  try {
    const child = spawn(command.program, command.args, {
      cwd: dir,
      env: command.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', output, output],
    });
    const exited = new Promise<TrainerExit>((resolve) => {
      child.once('exit', (exitCode, signal) => {
        if (child.pid) signalGroup(child.pid, 'SIGKILL');
        resolve({ seen: true, exitCode, signal });
      });
    });
    if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
    child.on('error', () => {}); // a signal that could not be sent; its end is noticed all the same
    child.unref();
    const identity = identifyProcess(child.pid) ?? { pid: child.pid, startedAt: 'gone at once' };
    return { identity, exited };
  } finally {
    closeSync(output);
  }
}

/**
 * Follows a trainer that another agent started.
 * @param readExitCode what the trainer wrote about its end, once it is gone
 */
export function adoptTrainer(
  identity: ProcessIdentity,
  pollMs: () => number,
  readExitCode: () => number | null,
): TrainerProcess {
  const follow = async (): Promise<TrainerExit> => {
    while (isRunning(identity)) await sleep(pollMs(), undefined, { ref: false });
    return { seen: false, exitCode: readExitCode() };
  };
  return { identity, exited: follow() };
}

/** Signals the trainer itself, unless its number has passed to another process. */
export function signalTrainer(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isRunning(identity)) send(identity.pid, signal);
}

/** Ends the trainer and all it started, at once. */
export function killTrainer(identity: ProcessIdentity): void {
  if (isRunning(identity)) signalGroup(identity.pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  send(-pid, signal);
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // Gone between the look and the signal.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
