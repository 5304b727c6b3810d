/** One agent per state folder. */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, readJson } from './atomic-file.ts';
import { AGENT_EXIT, AgentExit } from './exit-codes.ts';
import { identifyProcess, isRunning, ProcessIdentity } from './process-identity.ts';

/**
 * Takes the lock of the folder for this process and returns the function that gives it back. A lock whose owner no longer
 * runs (killed, or its number now belongs to another process) is taken over.
 * @throws {AgentExit} when an agent is at work there
 */
export function takeLock(stateDir: string): () => void {
  const path = join(stateDir, 'agent.lock');
  const mine = JSON.stringify(identifyProcess(process.pid));
  // Linked into place complete, so that nobody ever reads half a lock.
  const temp = `${path}.${process.pid}`;
  writeFileSync(temp, mine);
  try {
    for (;;) {
      if (linkIfFree(temp, path)) break;
      const owner = readJson(path, ProcessIdentity);
      if (owner && isRunning(owner)) throw lockedBy(stateDir, owner.pid);
      setAside(path, stateDir, owner);
    }
  } finally {
    unlinkSync(temp);
  }
  return () => {
    if (readFileSync(path, 'utf8') === mine) unlinkSync(path);
  };
}

function linkIfFree(temp: string, path: string): boolean {
  try {
    linkSync(temp, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Two agents may find the same dead lock: who moved a living one by mistake puts it back. */
function setAside(path: string, stateDir: string, dead: ProcessIdentity | null): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readJson(aside, ProcessIdentity);
  const isOther = moved !== null && moved.startedAt !== dead?.startedAt && isRunning(moved);
  if (isOther) linkIfFree(aside, path);
  unlinkSync(aside);
  if (isOther) throw lockedBy(stateDir, moved.pid);
}

function lockedBy(stateDir: string, pid: number): AgentExit {
  return new AgentExit(
    AGENT_EXIT.locked,
    `Another agent (process ${pid}) already works in ${stateDir}: stop it, or give this one its own folder with --dir.`,
  );
}
