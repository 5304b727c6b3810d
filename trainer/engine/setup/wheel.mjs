/** Finds Python wheels in a folder of the user's, or has pip download them. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './plan.mjs';
import { lastErrorLine, run } from './run.mjs';

const PROGRESS_MS = 2_000;
const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
export const PYTHON_MISSING =
  'Python 3 is missing: install python3 and its pip (on Debian or Ubuntu: apt-get install python3-pip).';

// The libraries in the wheels do not depend on the Python version, so the choice of the wheel shall not either. pip takes
// these tags literally: one that is left out hides the wheels that carry it.
const PIP_OPTIONS = [
  '--no-deps',
  '--no-cache-dir',
  '--disable-pip-version-check',
  ...['--progress-bar', 'off'],
  '--only-binary=:all:',
  ...['--implementation', 'cp'],
  ...['--python-version', '3.12'],
  ...['--abi', 'cp312'],
  ...['--abi', 'none'],
  ...['manylinux2014', ...Array.from({ length: 12 }, (_, i) => `manylinux_2_${28 - i}`)].flatMap((platform) => [
    '--platform',
    `${platform}_${MACHINE}`,
  ]),
];

/**
 * The path of a wheel for `requirement`: from `wheelDir`, from an earlier interrupted set-up, or downloaded.
 * @param {import('./plan.mjs').Plan} plan
 * @param {string} requirement as pip writes it, e.g. tensorflow-cpu==2.21.0
 * @param {string | null} wheelDir
 * @param {(line: string) => void} say
 */
export async function obtainWheel(plan, requirement, wheelDir, say) {
  if (wheelDir !== null) {
    const found = findWheel(wheelDir, requirement);
    if (found !== null) return found;
    throw new SetupError(
      `The folder ${wheelDir} holds no wheel of ${requirement} for this machine: put one there or leave --wheel-dir out.`,
    );
  }
  mkdirSync(plan.wheelFolder, { recursive: true });
  const earlier = findWheel(plan.wheelFolder, requirement);
  if (earlier !== null) return earlier;
  await download(plan, requirement, say);
  const downloaded = findWheel(plan.wheelFolder, requirement);
  if (downloaded === null) throw new Error(`pip left no wheel of ${requirement} in ${plan.wheelFolder}`);
  return downloaded;
}

/**
 * @param {string} folder
 * @param {string} requirement
 * @returns {string | null}
 */
function findWheel(folder, requirement) {
  if (!existsSync(folder)) return null;
  const [name = requirement] = requirement.split(/[<>=!~ ]/);
  const exact = /==([^,]+)$/.exec(requirement)?.[1];
  const start = `${name.replaceAll('-', '_')}-${exact === undefined ? '' : `${exact}-`}`;
  const file = readdirSync(folder).find((f) => f.startsWith(start) && f.endsWith('.whl') && f.includes(MACHINE));
  return file === undefined ? null : join(folder, file);
}

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {string} requirement
 * @param {(line: string) => void} say
 */
async function download(plan, requirement, say) {
  const partial = `${plan.wheelFolder}.partial`;
  const finished = join(partial, 'finished');
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  say(`Downloading ${requirement} with pip`);
  const started = Date.now();
  // pip's own bar is for terminals; it writes into TMPDIR while it downloads, so the size there is the progress.
  const ticker = setInterval(
    () => say(`Downloading ${requirement}: ${(largestFile(partial) / 1e6).toFixed(0)} MB so far`),
    PROGRESS_MS,
  );
  const { code, output } = await run(
    'python3',
    ['-m', 'pip', 'download', ...PIP_OPTIONS, '-d', finished, requirement],
    {
      env: { ...process.env, TMPDIR: partial },
    },
  ).finally(() => clearInterval(ticker));
  if (code !== 0) throw new SetupError(explainFailure(plan, requirement, code, output));
  for (const file of readdirSync(finished)) renameSync(join(finished, file), join(plan.wheelFolder, file));
  rmSync(partial, { recursive: true, force: true });
  say(`Downloaded ${requirement} in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {string} requirement
 * @param {number | null} code
 * @param {string} output
 */
function explainFailure(plan, requirement, code, output) {
  if (code === null) return PYTHON_MISSING;
  if (/No module named pip/.test(output)) {
    return 'pip is missing: install it (on Debian or Ubuntu: apt-get install python3-pip).';
  }
  if (/No space left on device/.test(output)) {
    return `The disk with ${plan.cacheFolder} is full: free some space, or set MEALTABLE_CACHE to a folder on another disk.`;
  }
  return `pip could not download ${requirement} (${lastErrorLine(output)}): check the network, or put the wheel into a folder and name it with MEALTABLE_WHEEL_DIR.`;
}

/**
 * Size of the largest file in a folder: the wheel that is arriving (pip copies it once more when it is there).
 * @param {string} folder
 * @returns {number}
 */
function largestFile(folder) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      bytes = Math.max(bytes, entry.isDirectory() ? largestFile(path) : statSync(path).size);
    }
  } catch {
    // pip moves files while we look; this is a progress figure only.
  }
  return bytes;
}
