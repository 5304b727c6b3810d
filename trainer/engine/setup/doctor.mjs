/** `--doctor`: what is installed, what is missing, and what would happen; changes nothing. */
import { existsSync } from 'node:fs';
import { hasForeignAddon, isLinked, proveAddon } from './addon.mjs';
import { examineCuda } from './cuda.mjs';
import { hasLibrary } from './library.mjs';
import { TENSORFLOW_VERSION } from './plan.mjs';
import { run } from './run.mjs';

/**
 * @param {import('./plan.mjs').Plan} plan @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ lines: string[], ready: boolean }>}
 */
export async function examine(plan, env) {
  const linked = isLinked(plan);
  const library = hasLibrary(plan);
  const addon = existsSync(plan.addonFile);
  const proof = linked ? await proveAddon(plan) : null;
  const lines = [
    `Node         ${process.version}, ABI ${process.versions.modules}`,
    `Python       ${await versionOf('python3', ['--version'])}`,
    `pip          ${await versionOf('python3', ['-m', 'pip', '--version'])}`,
    `C++ compiler ${await versionOf(env.CXX || 'g++', ['--version'])}`,
    `Device       ${plan.device === 'gpu' ? 'NVIDIA GPU' : 'CPU, no NVIDIA driver loaded'}`,
    ...(plan.device === 'gpu' ? await examineCuda(plan) : []),
    `Library      ${plan.distribution} ${TENSORFLOW_VERSION}: ${library ? plan.libraryRoot : 'not in the cache yet'}`,
    `Addon        ${addon ? plan.addonFile : 'not compiled yet'}`,
    `Package      ${plan.packageFolder}: ${describeLink(plan, linked)}`,
    `Works        ${describeProof(proof)}`,
  ];
  return { lines, ready: proof?.ok === true };
}

/** @param {string} command @param {string[]} args */
async function versionOf(command, args) {
  const { code, output } = await run(command, args);
  return code === 0 ? output.split('\n')[0] : 'missing';
}

/** @param {import('./plan.mjs').Plan} plan @param {boolean} linked */
function describeLink(plan, linked) {
  if (linked) return 'linked to that addon';
  return hasForeignAddon(plan) ? 'has an addon of another installer, which the set-up replaces' : 'not linked';
}

/** @param {Awaited<ReturnType<typeof proveAddon>> | null} proof */
function describeProof(proof) {
  if (proof === null)
    return 'no: run "npm run setup --workspace trainer"; training uses slow plain TensorFlow.js until then';
  if (!proof.ok) return `no: ${proof.reason}; delete the library folder above and run the set-up again`;
  return `yes: TensorFlow ${proof.version} computes on the ${proof.device.toUpperCase()}`;
}
