/** Compiles tfjs-node-gpu's own C++ sources against the library in the cache, and links the result into the package. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './plan.mjs';
import { lastErrorLine, run } from './run.mjs';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));

/**
 * @param {import('./plan.mjs').Plan} plan @param {NodeJS.ProcessEnv} env @param {(line: string) => void} say
 */
export async function compileAddon(plan, env, say) {
  const compiler = env.CXX || 'g++';
  say(`Compiling the TensorFlow addon for Node ${process.version} with ${compiler} (about 10 s)`);
  const folder = dirname(plan.addonFile);
  mkdirSync(folder, { recursive: true });
  const temporary = `${plan.addonFile}.${process.pid}.tmp`;
  const library = join(plan.libraryRoot, 'tensorflow');
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(plan.packageFolder, 'binding', name));
  const { code, output } = await run(compiler, [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', '-w', '-DNAPI_VERSION=8'],
    ...[`-I${plan.packageFolder}`, `-I${join(library, 'include')}`, `-I${plan.nodeHeaders}`],
    ...sources,
    ...['-o', temporary, `-L${library}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    // Node resolves the link in the package to this file, so the library is found relative to the cache and may move with it.
    '-Wl,-rpath,$ORIGIN/../tensorflow',
  ]);
  if (code === null) {
    throw new SetupError(
      `The C++ compiler ${compiler} is missing: install one (on Debian or Ubuntu: apt-get install g++).`,
    );
  }
  if (code !== 0) {
    rmSync(temporary, { force: true });
    throw new SetupError(`The TensorFlow addon did not compile: ${lastErrorLine(output)}.`);
  }
  renameSync(temporary, plan.addonFile);
}

/**
 * Points the package at the compiled addon. The stamp comes off first and goes on last: it is there only while all is true.
 * @param {import('./plan.mjs').Plan} plan
 * @param {() => Promise<void>} prove called with the link in place and before the stamp
 */
export async function linkAddon(plan, prove) {
  rmSync(plan.stampFile, { force: true });
  mkdirSync(dirname(plan.addonLink), { recursive: true });
  const temporary = `${plan.addonLink}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(plan.addonFile, temporary);
  renameSync(temporary, plan.addonLink);
  await prove();
  writeFileSync(`${plan.stampFile}.tmp`, JSON.stringify(stampOf(plan)));
  renameSync(`${plan.stampFile}.tmp`, plan.stampFile);
}

/**
 * True when the package is linked to exactly this build and was proven to work with it. Reads a few inodes, no more.
 * @param {import('./plan.mjs').Plan} plan
 */
export function isLinked(plan) {
  try {
    if (readFileSync(plan.stampFile, 'utf8') !== JSON.stringify(stampOf(plan))) return false;
    return readlinkSync(plan.addonLink) === plan.addonFile && existsSync(plan.addonFile);
  } catch {
    return false; // Not set up yet, or half removed: the slow path repairs it.
  }
}

/** @param {import('./plan.mjs').Plan} plan */
function stampOf(plan) {
  return { key: plan.key, addonFile: plan.addonFile };
}

/**
 * Runs a small convolution in a child process, because a broken library would take this one down with it.
 * @param {import('./plan.mjs').Plan} plan
 * @returns {Promise<{ ok: true, version: string, device: 'cpu' | 'gpu' } | { ok: false, reason: string }>}
 */
export async function proveAddon(plan) {
  const { code, output } = await run(process.execPath, [PROBE, plan.packageFolder], {
    env: { ...process.env, NODE_NO_WARNINGS: '1', TF_CPP_MIN_LOG_LEVEL: '3' },
  });
  const report = output.split('\n').findLast((line) => line.startsWith('{"version"'));
  if (code === 0 && report !== undefined) return { ok: true, ...JSON.parse(report) };
  return { ok: false, reason: lastErrorLine(output) };
}

/**
 * An addon that some other installer put there, which ours replaces.
 * @param {import('./plan.mjs').Plan} plan
 */
export function hasForeignAddon(plan) {
  return existsSync(plan.addonLink) && !lstatSync(plan.addonLink).isSymbolicLink();
}
