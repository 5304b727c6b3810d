/** The key that a host shows, for a person to compare and accept once. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { HostKeyLine, type SshSettings } from '@mealtable/protocol/launchers';
import type { LaunchResult } from '../launcher.ts';
import { explainSsh } from './explain-ssh.ts';
import { runProgram } from './run-program.ts';
import { keyScanArguments } from './ssh-arguments.ts';
import { sshVariables } from './ssh-shell.ts';

/** Fits `SshSettings.hostKey`. */
export interface HostKey {
  line: string;
  /** As `ssh-keygen -l` and an administrator write it: SHA256:… */
  fingerprint: string;
}

/**
 * Asks by ssh itself and not by ssh-keyscan, which knows neither jump hosts nor names of the ssh config. The connection ends before
 * anything of ours is offered.
 */
export async function readHostKey(
  settings: SshSettings,
  variables: NodeJS.ProcessEnv,
  timeoutMs = 20_000,
): Promise<LaunchResult<{ hostKey: HostKey }>> {
  const folder = mkdtempSync('/tmp/mt-ssh-');
  const file = path.join(folder, 'known');
  try {
    const args = keyScanArguments(settings, file);
    const run = await runProgram('ssh', { args, env: sshVariables(variables), stdin: '', timeoutMs });
    const hostKey = readKnownHost(file);
    if (hostKey) return { ok: true, hostKey };
    const said = run.startError ?? (run.isLate ? `no answer within ${timeoutMs / 1000} s` : run.stderr);
    return { ok: false, fault: explainSsh(settings.destination, said, false) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readKnownHost(file: string): HostKey | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // The host did not get as far as showing a key.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const [, kind = '', key = ''] = text.split('\n', 1)[0]!.split(' ');
  const line = HostKeyLine.safeParse(`${kind} ${key}`);
  return line.success ? { line: line.data, fingerprint: fingerprintOf(line.data) } : null;
}

export function fingerprintOf(line: string): string {
  const blob = Buffer.from(line.split(' ')[1]!, 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
