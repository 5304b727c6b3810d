/** Gets libtensorflow, and for a GPU NVIDIA's libraries, out of Python wheels and into the cache. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError, TENSORFLOW_VERSION } from './plan.mjs';
import { lastErrorLine, run } from './run.mjs';

const UNPACK_SCRIPT = fileURLToPath(new URL('unpack-wheel.py', import.meta.url));
const LIBRARIES = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
/** The libraries, and of 13,000 headers the few folders that the addon includes. */
const TENSORFLOW_PATTERNS = [
  ...LIBRARIES.map((name) => name.replaceAll('.', '\\.')),
  'tensorflow/include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/',
  'tensorflow-[^/]*\\.dist-info/METADATA',
  'tensorflow_cpu-[^/]*\\.dist-info/METADATA',
];
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
  mkdirSync(plan.wheelFolder, { recursive: true });
  const wheel = await obtainWheel(plan, `${plan.distribution}==${TENSORFLOW_VERSION}`, wheelDir, say);
  // A fixed name: what an interrupted set-up left here is removed, not piled up.
  const workFolder = `${plan.libraryRoot}.unpacking`;
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  await unpack(plan, wheel, workFolder, TENSORFLOW_PATTERNS, say);
  if (plan.device === 'gpu') {
    for (const requirement of findCudaRequirements(workFolder)) {
      await unpack(plan, await obtainWheel(plan, requirement, wheelDir, say), workFolder, NVIDIA_PATTERNS, say);
    }
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
  const needed = NEEDED_BYTES[plan.device];
  if (bavail * bsize >= needed) return;
  throw new SetupError(
    `TensorFlow needs ${(needed / 1e9).toFixed(1)} GB free in ${plan.cacheFolder}, which has ${((bavail * bsize) / 1e9).toFixed(1)} GB: free some, or set MEALTABLE_CACHE to a folder on another disk.`,
  );
}

/**
 * The path of a wheel for `requirement`: from `wheelDir`, from an earlier interrupted set-up, or downloaded.
 * @param {import('./plan.mjs').Plan} plan
 * @param {string} requirement as pip writes it, e.g. tensorflow-cpu==2.21.0
 * @param {string | null} wheelDir
 * @param {(line: string) => void} say
 */
async function obtainWheel(plan, requirement, wheelDir, say) {
  const name = requirement.split(/[<>=!~ ]/)[0] ?? requirement;
  if (wheelDir !== null) {
    const found = findWheel(wheelDir, name, requirement);
    if (found !== null) return found;
    throw new SetupError(
      `The folder ${wheelDir} holds no wheel of ${requirement} for this machine: put one there or leave --wheel-dir out.`,
    );
  }
  const earlier = findWheel(plan.wheelFolder, name, requirement);
  if (earlier !== null) return earlier;
  await download(plan, requirement, say);
  const downloaded = findWheel(plan.wheelFolder, name, requirement);
  if (downloaded === null)
    throw new SetupError(`pip reported success but left no wheel of ${requirement} in ${plan.wheelFolder}.`, 1);
  return downloaded;
}

/**
 * @param {string} folder @param {string} name @param {string} requirement
 * @returns {string | null}
 */
function findWheel(folder, name, requirement) {
  if (!existsSync(folder)) return null;
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const exact = /==([^,]+)$/.exec(requirement)?.[1];
  const start = `${name.replaceAll('-', '_')}-${exact === undefined ? '' : `${exact}-`}`;
  const file = readdirSync(folder).find((f) => f.startsWith(start) && f.endsWith('.whl') && f.includes(machine));
  return file === undefined ? null : join(folder, file);
}

/**
 * @param {import('./plan.mjs').Plan} plan @param {string} requirement @param {(line: string) => void} say
 */
async function download(plan, requirement, say) {
  const partial = `${plan.wheelFolder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  say(`Downloading ${requirement} with pip`);
  const started = Date.now();
  // pip's own bar is for terminals; it writes into TMPDIR while it downloads, so the size there is the progress.
  const ticker = setInterval(
    () => say(`Downloading ${requirement}: ${megabytes(sizeOf(partial))} so far`),
    PROGRESS_MS,
  );
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  // The library in the wheel does not depend on the Python version, so neither does the choice of the wheel.
  const platforms = ['manylinux_2_27', 'manylinux_2_28', 'manylinux2014', 'manylinux_2_17'].flatMap((p) => [
    '--platform',
    `${p}_${machine}`,
  ]);
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--no-cache-dir',
    '--progress-bar',
    'off',
    '--disable-pip-version-check',
  ];
  args.push(
    '--only-binary=:all:',
    '--implementation',
    'cp',
    '--python-version',
    '3.12',
    '--abi',
    'cp312',
    '--abi',
    'none',
    ...platforms,
  );
  const { code, output } = await run('python3', [...args, '-d', join(partial, 'done'), requirement], {
    env: { ...process.env, TMPDIR: partial },
  }).finally(() => clearInterval(ticker));
  if (code === null)
    throw new SetupError(
      'Python 3 is missing: install python3 and its pip (on Debian or Ubuntu: apt-get install python3-pip).',
    );
  if (/No module named pip/.test(output))
    throw new SetupError('pip is missing: install it (on Debian or Ubuntu: apt-get install python3-pip).');
  if (/No space left on device/.test(output))
    throw new SetupError(`The disk with ${plan.cacheFolder} is full: free some space or set MEALTABLE_CACHE.`);
  if (code !== 0) {
    throw new SetupError(
      `pip could not download ${requirement} (${lastErrorLine(output)}): check the network, or put the wheel into a folder and name it with MEALTABLE_WHEEL_DIR.`,
    );
  }
  for (const file of readdirSync(join(partial, 'done')))
    renameSync(join(partial, 'done', file), join(plan.wheelFolder, file));
  say(`Downloaded ${requirement} in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  rmSync(partial, { recursive: true, force: true });
}

/**
 * @param {import('./plan.mjs').Plan} plan @param {string} wheel @param {string} folder @param {string[]} patterns @param {(line: string) => void} say
 */
async function unpack(plan, wheel, folder, patterns, say) {
  const name = wheel.slice(dirname(wheel).length + 1);
  say(`Unpacking and checking ${name}`);
  let lastSaid = Date.now();
  const { code, output } = await run('python3', [UNPACK_SCRIPT, wheel, folder, ...patterns], {
    onLine: (line) => {
      if (Date.now() - lastSaid < PROGRESS_MS) return;
      lastSaid = Date.now();
      const [done, total] = line.split(' ').map(Number);
      say(`Unpacking ${name}: ${megabytes(done ?? 0)} of ${megabytes(total ?? 0)}`);
    },
  });
  if (code === 0) return;
  if (code === null)
    throw new SetupError(
      'Python 3 is missing: install python3 and its pip (on Debian or Ubuntu: apt-get install python3-pip).',
    );
  // A damaged download would fail for ever if it stayed; one that the user named is theirs.
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
  if (info === undefined) throw new SetupError('The TensorFlow wheel has no METADATA.', 1);
  const metadata = readFileSync(join(folder, info, 'METADATA'), 'utf8');
  return [...metadata.matchAll(/^Requires-Dist: *([^;]+?) *; *extra == ["']and-cuda["']/gm)].map(
    (match) => match[1] ?? '',
  );
}

/** @param {string} folder @returns {number} */
function sizeOf(folder) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      bytes += entry.isDirectory() ? sizeOf(path) : statSync(path).size;
    }
  } catch {
    // pip moves files while we look; this is a progress figure only.
  }
  return bytes;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
