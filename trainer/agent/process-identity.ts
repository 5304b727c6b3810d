/** Tells a process from another one that got the same number later: number plus start time, and the boot it belongs to. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

export const ProcessIdentity = z.object({ pid: z.int().min(1), startedAt: z.string().min(1) });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

const hasProc = process.platform === 'linux';

/** The identity of a running process, or null when none runs under this number. A zombie does not run. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startedAt = hasProc ? startFromProc(pid) : startFromPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Whether the machine has been started again since that process began. False where nothing tells boots apart. */
export function isFromEarlierBoot(identity: ProcessIdentity): boolean {
  return hasProc && !identity.startedAt.startsWith(`${bootId()}:`);
}

/** A running process whose command line, program and arguments, is what is looked for. */
export function findByCommand(matches: (words: string[]) => boolean): ProcessIdentity | null {
  for (const pid of otherProcesses()) {
    const words = readProc(`/proc/${pid}/cmdline`)?.split('\0');
    const identity = words && matches(words) ? identifyProcess(pid) : null;
    if (identity) return identity;
  }
  return null;
}

/** Numbers of the running processes whose environment holds `entry`, NAME=VALUE; those of other users cannot be read. */
export function findByEnvironment(entry: string): number[] {
  return otherProcesses().filter((pid) => environmentOf(pid).includes(entry));
}

/** NAME=VALUE of each variable; none for a process that is gone or another user's. */
export function environmentOf(pid: number): string[] {
  return (hasProc && readProc(`/proc/${pid}/environ`)?.split('\0')) || [];
}

function otherProcesses(): number[] {
  if (!hasProc) return [];
  const isOther = (name: string) => /^\d+$/.test(name) && Number(name) !== process.pid;
  return readdirSync('/proc').filter(isOther).map(Number);
}

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

function startFromProc(pid: number): string | null {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything; fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return null;
  return `${bootId()}:${startTicks}`;
}

function startFromPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line.startsWith('Z') || line === '' ? null : line.replace(/^\S+\s+/, '');
  } catch {
    // ps exits with 1 when there is no such process.
    return null;
  }
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Gone between two looks, or another user's: not ours either way.
    return null;
  }
}
