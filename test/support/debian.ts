/**
 * Debian's servers for tests of launchers. Installed ones are used; else their packages are unpacked in the cache folder, which needs
 * no root and changes nothing on the machine.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder } from '../../trainer/engine/setup/plan.mjs';

const execute = promisify(execFile);

/** @returns the folder that the packages were unpacked in, or null, after a line that says so, where they cannot be had */
export async function unpackPackages(name: string, packages: readonly string[]): Promise<string | null> {
  const folder = path.join(findCacheFolder(process.env), 'debian', name);
  if (existsSync(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    await download(work, packages);
    const root = path.join(work, 'root');
    for (const file of await readdir(work))
      if (file.endsWith('.deb')) await execute('dpkg', ['-x', path.join(work, file), root]);
    await rename(root, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test file was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return folder;
  } catch (error) {
    console.warn(
      `Skipped: no ${packages[0]} here, and its Debian package cannot be had (${String(error).split('\n')[0]}).`,
    );
    return null;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(folder: string, packages: readonly string[]): Promise<void> {
  const get = () => execute('apt-get', ['download', '-qq', ...packages], { cwd: folder, timeout: 60_000 });
  await get().catch(async (error) => {
    // A fresh image has no package lists; only root can fetch them.
    if (process.getuid?.() !== 0) throw error;
    await execute('apt-get', ['update', '-qq'], { timeout: 60_000 });
    await get();
  });
}
