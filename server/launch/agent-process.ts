/** Finding and ending an agent that may have been started by an earlier hub: it is nobody's child any more. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Lock = z.object({ pid: z.int().min(1) });
const POLL_MS = 100;

/** A process id alone proves nothing, as it may be another program's by now: the state folder is in the agent's arguments. */
export function worksIn(pid: number, stateDir: string): boolean {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(stateDir);
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(stateDir);
  } catch {
    return false; // no such process
  }
}

/** @returns the process id of the agent at work in the folder, by its lock file, or null */
export function findAgent(stateDir: string): number | null {
  let text: string;
  try {
    text = readFileSync(path.join(stateDir, 'agent.lock'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const lock = Lock.safeParse(parseJson(text));
  return lock.success && worksIn(lock.data.pid, stateDir) ? lock.data.pid : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Asks the agent to end, which first has its trainers save a checkpoint, and waits.
 * @returns false when it still runs after waitMs; it goes on ending by itself
 */
export async function endAgent(stateDir: string, pid: number, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  if (worksIn(pid, stateDir)) process.kill(pid, 'SIGTERM');
  while (worksIn(pid, stateDir)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
