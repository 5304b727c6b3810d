/** Runs initdb and pg_ctl as the service user and gathers what they say. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ServiceUser } from './service-user.ts';

export interface Outcome {
  code: number | null;
  output: string;
}

export interface Programs {
  binDir: string;
  user: ServiceUser | null;
  /** A folder the user can enter: programs start there. */
  cwd: string;
}

/** Postgres reads its own settings from PG* variables and its messages' language from LC_*: neither may leak in. */
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
} as unknown as NodeJS.ProcessEnv;

/** Never throws for a program that fails: its exit code and its words are the result. */
export function runProgram(programs: Programs, name: 'initdb' | 'pg_ctl', args: string[]): Promise<Outcome> {
  const { binDir, user, cwd } = programs;
  return new Promise((resolve) => {
    const child = spawn(path.join(binDir, name), args, {
      cwd,
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group: a Ctrl-C in the terminal must not end pg_ctl halfway.
      detached: true,
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    });
    let output = '';
    const gather = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    child.on('error', (error) => resolve({ code: null, output: `${output}\n${error.message}` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
