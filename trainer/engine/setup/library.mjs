/** Gets libtensorflow, and for a GPU NVIDIA's libraries, out of Python wheels and into the cache. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError, TENSORFLOW_VERSION } from './plan.mjs';
import { lastErrorLine, run } from './run.mjs';
import { obtainWheel, PYTHON_MISSING } from './wheel.mjs';

const UNPACK_SCRIPT = fileURLToPath(new URL('unpack-wheel.py', import.meta.url));
const LIBRARIES = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
/** The libraries, and of 13,000 headers the few folders that the addon includes. */
const TENSORFLOW_PATTERNS = [
  ...LIBRARIES.map((name) => name.replaceAll('.', '\\.')),
  'tensorflow/include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/',
  'tensorflow(_cpu)?-[^/]*\\.dist-info/METADATA',
];
/** TensorFlow looks for these beside its own folder, so they are unpacked as they lie in the wheels. */
const NVIDIA_PATTERNS = ['nvidia/[^/]+/lib/', 'nvidia/cuda_nvcc/(bin|nvvm)/'];
/** Wheel, unpacked files and the addon, with room to spare. */
const NEEDED_BYTES = { cpu: 1.6e9, gpu: 9e9 };
const PROGRESS_MS = 2_000;

/**
 * Says whether the cache holds the whole library: sizes are compared, hashes were checked when it was unpacked.
 * @param {import('./plan.mjs').Plan} plan
 */
export function hasLibrary(plan) {
  try {
    const { sizes } = JSON.parse(readFileSync(join(plan.libraryRoot, 'complete.json'), 'utf8'));
    return Object.entries(sizes).every(([name, size]) => statSync(join(plan.libraryRoot, name)).size === size);
  } catch {
    return false; // No such folder, or not finished: it is made anew.
  }
}

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {string | null} wheelDir folder with wheels to use instead of downloading
 * @param {(line: string) => void} say
 */
export async function installLibrary(plan, wheelDir, say) {
  requireSpace(plan);
  // A fixed name: what an interrupted set-up left here is removed, not piled up.
  const workFolder = `${plan.libraryRoot}.unpacking`;
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  const install = async (/** @type {string} */ requirement, /** @type {string[]} */ patterns) =>
    unpack(plan, await obtainWheel(plan, requirement, wheelDir, say), workFolder, patterns, say);
  await install(`${plan.distribution}==${TENSORFLOW_VERSION}`, TENSORFLOW_PATTERNS);
  if (plan.device === 'gpu') {
    for (const requirement of findCudaRequirements(workFolder)) await install(requirement, NVIDIA_PATTERNS);
  }
  const sizes = Object.fromEntries(LIBRARIES.map((name) => [name, statSync(join(workFolder, name)).size]));
  writeFileSync(join(workFolder, 'complete.json'), JSON.stringify({ sizes }));
  rmSync(plan.libraryRoot, { recursive: true, force: true });
  renameSync(workFolder, plan.libraryRoot);
  rmSync(plan.wheelFolder, { recursive: true, force: true });
}

/** @param {import('./plan.mjs').Plan} plan */
function requireSpace(plan) {
  mkdirSync(plan.cacheFolder, { recursive: true });
  const { bavail, bsize } = statfsSync(plan.cacheFolder);
  const [free, needed] = [bavail * bsize, NEEDED_BYTES[plan.device]];
  if (free >= needed) return;
  const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new SetupError(
    `TensorFlow needs ${gigabytes(needed)} free in ${plan.cacheFolder}, which has ${gigabytes(free)}: free some, or set MEALTABLE_CACHE to a folder on another disk.`,
  );
}

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {string} wheel
 * @param {string} folder
 * @param {string[]} patterns
 * @param {(line: string) => void} say
 */
async function unpack(plan, wheel, folder, patterns, say) {
  const name = basename(wheel);
  say(`Unpacking and checking ${name}`);
  let lastSaid = Date.now();
  const { code, output } = await run('python3', [UNPACK_SCRIPT, wheel, folder, ...patterns], {
    onLine: (line) => {
      if (Date.now() - lastSaid < PROGRESS_MS) return;
      lastSaid = Date.now();
      const [done, total] = line.split(' ').map((bytes) => (Number(bytes) / 1e6).toFixed(0));
      say(`Unpacking ${name}: ${done} of ${total} MB`);
    },
  });
  if (code === 0) return;
  if (code === null) throw new SetupError(PYTHON_MISSING);
  // A damaged download would fail for ever if it stayed; a file that the user named is the user's.
  if (code === 2 && dirname(wheel) === plan.wheelFolder) rmSync(wheel, { force: true });
  throw new SetupError(`The wheel ${wheel} could not be unpacked: ${lastErrorLine(output)}; get it again.`);
}

/**
 * NVIDIA's packages that this TensorFlow asks for under its extra `and-cuda`.
 * @param {string} folder
 * @returns {string[]}
 */
function findCudaRequirements(folder) {
  const info = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  const metadata = readFileSync(join(folder, info ?? '', 'METADATA'), 'utf8');
  const wanted = /^Requires-Dist: *([^;\n]+?) *; *extra == ["']and-cuda["']/gm;
  return [...metadata.matchAll(wanted)].map((match) => match[1] ?? '');
}
