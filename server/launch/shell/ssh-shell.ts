/**
 * Scripts on another machine by the system's OpenSSH: people's access lies in its config, with jump hosts, certificates and
 * hardware keys. A command that takes too long, or whose connection breaks, is lost and not failed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SshSettings } from '@mealtable/protocol/launchers';
import { explainSsh, hostKeyUnknown } from './explain-ssh.ts';
import { runProgram } from './run-program.ts';
import { readOutcome, SENTINEL, SHELL_TIMEOUT_MS, type Shell } from './shell.ts';
import { HOST_KEY_NAME, type SshFiles, sshArguments } from './ssh-arguments.ts';

export function sshShell(settings: SshSettings, variables: NodeJS.ProcessEnv): Shell {
  const { destination, hostKey } = settings;
  // A name of its own, since ssh would let two launchers of one destination share a connection whatever keys they accept.
  const folder = mkdtempSync('/tmp/mt-ssh-');
  const files: SshFiles = { knownHosts: path.join(folder, 'known'), controlPath: path.join(folder, 'c') };
  writeFileSync(files.knownHosts, hostKey === undefined ? '' : `${HOST_KEY_NAME} ${hostKey}\n`, { mode: 0o600 });
  const env = sshVariables(variables);
  return {
    place: destination,
    async exec(line, { stdin = '', timeoutMs = SHELL_TIMEOUT_MS, onLine } = {}) {
      if (hostKey === undefined) return { kind: 'lost', fault: hostKeyUnknown(destination) };
      if (/['!\n]/.test(line)) throw new Error(`A line for ssh holds a quote, an exclamation mark or a break: ${line}`);
      const args = sshArguments(settings, files, `exec sh -c '${line}; ${SENTINEL}'`);
      const run = await runProgram('ssh', { args, env, stdin, timeoutMs, onLine });
      const outcome = readOutcome(run.stdout);
      if (outcome) return outcome;
      const said = run.startError !== null ? `ssh cannot be started: ${run.startError}` : run.stderr;
      return {
        kind: 'lost',
        fault: explainSsh(destination, run.isLate ? `no answer within ${timeoutMs / 1000} s` : said, true),
      };
    },
    async close() {
      const args = ['-o', `ControlPath=${files.controlPath}`, '-O', 'exit', '--', destination];
      // Without a connection there is none to end, which ssh calls a failure.
      await runProgram('ssh', { args, env, stdin: '', timeoutMs: 5_000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** ssh's own programs (agent, proxy) need some of the hub's variables; none of them is sent to the host. */
export function sshVariables(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SSH_AUTH_SOCK', 'KRB5CCNAME', 'XDG_RUNTIME_DIR'];
  const kept = names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]]));
  // Messages of ssh are read, so they must be in English.
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
