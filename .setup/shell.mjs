// Small helpers of the set-up scripts. Plain JavaScript without dependencies: they run before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock as withFileLock } from '../trainer/engine/setup/lock.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const inRoot = (...parts) => path.join(ROOT, ...parts);

/** A fault that one sentence explains; the scripts print it without a stack and exit with 1. */
export class SetupError extends Error {}

export const say = (line) => process.stdout.write(`${line}\n`);

/** Runs `main` and turns a SetupError into its sentence and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Runs a command in the project's root. `quiet` keeps its output back and shows the end of it only when it fails.
 * @returns {Promise<number>} the exit code; 127 when there is no such command
 */
export function run(command, args, { quiet = false, env = {}, input = 'ignore' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: quiet ? [input, 'pipe', 'pipe'] : [input, 'inherit', 'inherit'],
    });
    const kept = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        kept.push(chunk);
        while (kept.length > 400) kept.shift();
      });
    // Asked to stop: the command first, then this program too, instead of its next step.
    const forward = (signal) => {
      child.kill(signal);
      child.once('close', () => process.exit(1));
    };
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, forward);
    const done = (code) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, forward);
      if (code !== 0 && quiet) process.stderr.write(Buffer.concat(kept).toString().split('\n').slice(-40).join('\n'));
      resolve(code);
    };
    child.on('error', () => done(127));
    child.on('close', (code) => done(code ?? 1));
  });
}

/** Shows what is being done and, every ten seconds, that it still goes on. */
export async function step(title, work) {
  const begun = Date.now();
  const seconds = () => ((Date.now() - begun) / 1000).toFixed(0);
  say(`• ${title} …`);
  const ticker = setInterval(() => say(`  still at it: ${title} (${seconds()} s)`), 10_000);
  try {
    const result = await work();
    say(`✓ ${title} (${seconds()} s)`);
    return result;
  } finally {
    clearInterval(ticker);
  }
}

/** SHA-256 over the names and contents of files and folders, without what builds and tests put there. */
export function fingerprint(entries, salt = '') {
  const hash = createHash('sha256').update(salt);
  const ignored = new Set(['node_modules', 'generated', 'datasets', '.next', 'dist']);
  const visit = (file) => {
    if (!existsSync(file)) return;
    if (statSync(file).isDirectory()) {
      for (const name of readdirSync(file).sort()) if (!ignored.has(name)) visit(path.join(file, name));
    } else hash.update(path.relative(ROOT, file)).update(readFileSync(file));
  };
  for (const entry of entries) visit(inRoot(entry));
  return hash.digest('hex');
}

export const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : null);
export function writeStamp(file, value) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, value);
  renameSync(`${file}.${process.pid}`, file);
}

/** Lets one set-up at a time work on this checkout. */
export const withLock = (name, work) =>
  withFileLock(
    inRoot('.cache', `${name}.lock`),
    (owner) => say(`  waiting for another set-up of this folder (process ${owner}) to finish`),
    work,
  );
