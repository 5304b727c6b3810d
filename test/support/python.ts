/**
 * Python for tests that check our files with the programs that users will read them with. Each set of packages gets one virtual
 * environment in the cache folder, made once per machine.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder } from '../../trainer/engine/setup/plan.mjs';

const execute = promisify(execFile);

/**
 * Path of a Python that can import `packages` (as pip writes them, e.g. 'numpy' or 'numpy==2.1.0'). Null, after one line that
 * says so, where this machine has no Python 3 or no pip; a package that cannot be had is an error.
 */
export async function pythonWith(packages: readonly string[]): Promise<string | null> {
  const version = await output('python3', ['-c', 'import pip, sys; print(sys.version)']);
  if (version === null) {
    console.warn(`Skipped: checking with Python (${packages.join(', ')}) needs python3 and pip.`);
    return null;
  }
  const key = createHash('sha256')
    .update(JSON.stringify([version, [...packages].sort()]))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(findCacheFolder(process.env), 'python', key);
  if (!existsSync(folder)) await create(folder, packages);
  return pythonIn(folder);
}

/** Runs a Python program and returns what it printed; throws with its traceback when it fails. */
export async function runPython(python: string, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(python, ['-c', program, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** The same for a program in a file. */
export async function runPythonFile(python: string, file: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(python, ['-B', file, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

function pythonIn(folder: string): string {
  return path.join(folder, 'bin', 'python');
}

/** Built aside and renamed, so that test files running at once cannot see half of it. */
async function create(folder: string, packages: readonly string[]): Promise<void> {
  const building = `${folder}.${randomUUID()}`;
  await mkdir(path.dirname(folder), { recursive: true });
  try {
    // Without pip, because Debian splits the part that would install it into a package of its own.
    await execute('python3', ['-m', 'venv', '--without-pip', building]);
    const { stdout } = await execute(pythonIn(building), [
      '-c',
      'import sysconfig; print(sysconfig.get_paths()["purelib"])',
    ]);
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-cache-dir',
      '--disable-pip-version-check',
      '--no-warn-conflicts',
    ];
    await execute('python3', [...args, '--target', stdout.trim(), ...packages]);
    await rename(building, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test file was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function output(command: string, args: string[]): Promise<string | null> {
  try {
    return (await execute(command, args)).stdout;
  } catch {
    return null;
  }
}
