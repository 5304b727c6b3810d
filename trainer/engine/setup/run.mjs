/** Runs helper programs (pip, Python, the compiler) and keeps the end of what they say. */
import { spawn } from 'node:child_process';

const KEPT_CHARACTERS = 20_000;

/**
 * Never rejects for a program that fails or is absent: `code` is null when it could not be started.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, onLine?: (line: string) => void }} [options]
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let pending = '';
    const stop = () => child.kill('SIGTERM');
    // The download must not outlive a set-up that was interrupted.
    process.once('exit', stop);
    const end = (/** @type {number | null} */ code) => {
      process.off('exit', stop);
      resolve({ code, output: output.trim() });
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
    });
    child.once('error', () => end(null));
    child.once('close', (code) => end(code ?? 1));
  });
}

/**
 * The line of a program's output that says most about its failure.
 * @param {string} output
 */
export function lastErrorLine(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (
    lines.findLast((line) => /error|no space|denied|refused|unreachable/i.test(line)) ?? lines.at(-1) ?? 'no output'
  );
}
