/** One program, its input and its output, with an end that always comes. */
import { spawn } from 'node:child_process';
import { MAX_OUTPUT_BYTES } from './shell.ts';

export interface ProgramRun {
  /** Null when it was ended by a signal or could not be started. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** It was killed because the time was over. */
  isLate: boolean;
  /** Why it could not be started. */
  startError: string | null;
}
export interface ProgramOptions {
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  stdin: string | Buffer;
  timeoutMs: number;
  onLine?: (line: string) => void;
}

/** How long after the exit the rest of the output may take; a background process may hold the pipe for ever. */
const DRAIN_MS = 500;

export function runProgram(program: string, options: ProgramOptions): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const run: ProgramRun = { code: null, stdout: '', stderr: '', isLate: false, startError: null };
    const child = spawn(program, options.args, { env: options.env, stdio: 'pipe' });
    const timer = setTimeout(() => {
      run.isLate = true;
      child.kill('SIGKILL');
    }, options.timeoutMs);
    let unfinished = '';
    const finish = () => {
      clearTimeout(timer);
      if (unfinished !== '') options.onLine?.(unfinished);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      resolve(run);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      run.stdout = (run.stdout + text).slice(-MAX_OUTPUT_BYTES);
      if (!options.onLine) return;
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop()!;
      for (const line of lines) options.onLine(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      run.stderr = (run.stderr + text).slice(-MAX_OUTPUT_BYTES);
    });
    // A program that ends before it has read everything; its exit code tells.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin);
    child.on('error', (error) => {
      run.startError = error.message;
      finish();
    });
    child.on('exit', (code) => {
      run.code = code;
      const drain = setTimeout(finish, DRAIN_MS);
      child.once('close', () => {
        clearTimeout(drain);
        finish();
      });
    });
  });
}
