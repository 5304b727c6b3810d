/** What this machine needs and where everything lies: pure decisions, nothing is changed here. */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const TENSORFLOW_VERSION = '2.21.0';

/** tfjs-node-gpu looks for its addon under this N-API version on every Node that it supports. */
const NAPI_VERSION = 8;

/** A sentence for the user; the exit code says whether the plain TensorFlow.js fallback takes over (3) or not (1). */
export class SetupError extends Error {
  /**
   * @param {string} message what to do, in one sentence
   * @param {1 | 3} exitCode
   */
  constructor(message, exitCode = 3) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * @typedef {object} Plan
 * @property {'cpu' | 'gpu'} device what the library is chosen for
 * @property {string} distribution name of the Python package that holds libtensorflow
 * @property {string} key names this library build in the cache and in the stamp
 * @property {string} cacheFolder
 * @property {string} wheelFolder downloads; empty once everything is unpacked
 * @property {string} libraryRoot holds tensorflow/ and, for a GPU, nvidia/, laid out as in the wheels
 * @property {string} addonFile compiled addon, in the cache
 * @property {string} packageFolder @tensorflow/tfjs-node-gpu in node_modules
 * @property {string} addonLink where that package looks for its addon
 * @property {string} stampFile says which build the package is linked to
 * @property {string} nodeHeaders folder of node_api.h
 */

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Plan}
 */
export function makePlan(env) {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) {
    throw new SetupError(
      `TensorFlow is set up on Linux (x64, arm64) only, and this is ${process.platform} ${process.arch}: use a Linux host for full speed.`,
    );
  }
  const device = chooseDevice(env);
  const distribution = device === 'cpu' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  const key = `${distribution}-${TENSORFLOW_VERSION}-${process.arch}`;
  const cacheFolder = findCacheFolder(env);
  const libraryRoot = join(cacheFolder, 'libraries', key);
  const packageFolder = findPackageFolder('@tensorflow/tfjs-node-gpu');
  return {
    device,
    distribution,
    key,
    cacheFolder,
    wheelFolder: join(cacheFolder, 'wheels', key),
    libraryRoot,
    addonFile: join(libraryRoot, `addon-node${process.versions.modules}-napi${NAPI_VERSION}`, 'tfjs_binding.node'),
    packageFolder,
    addonLink: join(packageFolder, 'lib', `napi-v${NAPI_VERSION}`, 'tfjs_binding.node'),
    stampFile: join(packageFolder, 'lib', 'mealtable.json'),
    nodeHeaders: join(findPackageFolder('node-api-headers'), 'include'),
  };
}

/** @param {Record<string, string | undefined>} env */
export function findCacheFolder(env) {
  if (env.MEALTABLE_CACHE) return resolve(env.MEALTABLE_CACHE);
  return env.XDG_CACHE_HOME ? join(env.XDG_CACHE_HOME, 'mealtable') : join(homedir(), '.cache', 'mealtable');
}

/**
 * MEALTABLE_TENSORFLOW=cpu|gpu decides, else whether an NVIDIA driver is loaded.
 * @param {Record<string, string | undefined>} env
 * @returns {'cpu' | 'gpu'}
 */
function chooseDevice(env) {
  const wanted = env.MEALTABLE_TENSORFLOW;
  if (wanted === 'cpu' || wanted === 'gpu') return wanted;
  if (wanted) throw new SetupError(`MEALTABLE_TENSORFLOW is "${wanted}"; leave it out or set it to "cpu" or "gpu".`, 1);
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0') ? 'gpu' : 'cpu';
}

/** @param {string} name */
function findPackageFolder(name) {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const candidate = join(folder, name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
  }
  throw new SetupError(`The package ${name} is not installed: run "npm ci" in ${findRepository()} first.`, 1);
}

function findRepository() {
  return resolve(dirname(new URL(import.meta.url).pathname), '..', '..', '..');
}
