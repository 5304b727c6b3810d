/**
 * Brings a current TensorFlow under @tensorflow/tfjs-node-gpu, whose own installer would fetch one from 2022. The library comes
 * from the Python wheel, the addon is compiled from the package's sources, both are kept once per machine in a cache folder.
 *
 *   node trainer/engine/setup/main.mjs [--wheel-dir FOLDER] [--doctor]
 *
 * Exit codes: 0 ready; 3 TensorFlow cannot be had here, so that the plain fallback is used; 1 anything else.
 * Environment: MEALTABLE_CACHE, MEALTABLE_WHEEL_DIR, MEALTABLE_TENSORFLOW=cpu|gpu, CXX.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compileAddon, isLinked, linkAddon, proveAddon } from './addon.mjs';
import { examine } from './doctor.mjs';
import { hasLibrary, installLibrary } from './library.mjs';
import { withLock } from './lock.mjs';
import { makePlan, SetupError, TENSORFLOW_VERSION } from './plan.mjs';

const say = (/** @type {string} */ line) => console.log(`[tensorflow] ${line}`);

async function main() {
  const options = parseOptions();
  const plan = makePlan(process.env);
  if (options.doctor) {
    const { lines, ready } = await examine(plan, process.env);
    console.log(lines.join('\n'));
    return ready ? 0 : 3;
  }
  if (isLinked(plan)) {
    say(`TensorFlow ${TENSORFLOW_VERSION} is ready`);
    return 0;
  }
  const started = Date.now();
  const waiting = (/** @type {string} */ owner) =>
    say(`Process ${owner} is setting up TensorFlow already; waiting for it`);
  await withLock(join(plan.cacheFolder, 'setup.lock'), waiting, async () => {
    if (isLinked(plan)) return; // by the process that we waited for
    if (!hasLibrary(plan)) await installLibrary(plan, options.wheelDir, say);
    if (!existsSync(plan.addonFile)) await compileAddon(plan, process.env, say);
    await linkAddon(plan, () => prove(plan));
  });
  say(`Set up in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

/** @param {import('./plan.mjs').Plan} plan */
async function prove(plan) {
  const proof = await proveAddon(plan);
  if (!proof.ok) {
    throw new SetupError(
      `TensorFlow was installed but does not work here (${proof.reason}): delete ${plan.libraryRoot} and try again.`,
    );
  }
  say(`TensorFlow ${proof.version} computes on the ${proof.device.toUpperCase()}`);
  if (plan.device === 'gpu' && proof.device === 'cpu') {
    say('An NVIDIA driver is loaded, but TensorFlow could not use the GPU; training will run on the CPU');
  }
}

function parseOptions() {
  try {
    const { values } = parseArgs({
      options: { 'wheel-dir': { type: 'string' }, doctor: { type: 'boolean', default: false } },
    });
    const wheelDir = values['wheel-dir'] ?? process.env.MEALTABLE_WHEEL_DIR;
    return { doctor: values.doctor, wheelDir: wheelDir ? resolve(wheelDir) : null };
  } catch (error) {
    throw new SetupError(`${/** @type {Error} */ (error).message} The options are --wheel-dir FOLDER and --doctor.`, 1);
  }
}

/** @param {unknown} error @returns {number} the exit code */
function explain(error) {
  const known = error instanceof SetupError ? error : describeSystemError(/** @type {NodeJS.ErrnoException} */ (error));
  if (known === null) {
    say(`The set-up failed: ${/** @type {Error} */ (error).stack}`);
    return 1;
  }
  const fallback = known.exitCode === 3 ? ' Until then training runs in plain JavaScript, tens of times slower.' : '';
  say(`${known.message}${fallback}`);
  return known.exitCode;
}

/** @param {NodeJS.ErrnoException} error */
function describeSystemError({ code, path }) {
  if (code === 'ENOSPC') {
    return new SetupError(
      `The disk with ${path ?? 'the cache'} is full: free some space, or set MEALTABLE_CACHE to a folder on another disk.`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SetupError(
      `This user cannot write ${path}: change its owner, or set MEALTABLE_CACHE if it lies in the cache.`,
    );
  }
  return null;
}

for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
]))
  process.once(signal, () => process.exit(code));
main().then(
  (code) => process.exit(code),
  (error) => process.exit(explain(error)),
);
