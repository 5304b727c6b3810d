/** What a GPU host has of NVIDIA's: the driver, and the CUDA libraries that TensorFlow opens by name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** TensorFlow 2.21 uses no GPU unless all of these open. */
const NEEDED = [
  ...['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcufft.so.11', 'libcusolver.so.11'],
  ...['libcusparse.so.12', 'libcudnn.so.9', 'libnccl.so.2'],
];

/**
 * Lines for the doctor, for a plan whose device is a GPU.
 * @param {import('./plan.mjs').Plan} plan
 */
export async function examineCuda(plan) {
  const own = librariesOf(plan);
  const { output } = await run('ldconfig', ['-p']);
  const system = new Set(output.split('\n').map((line) => line.trim().split(' ')[0] ?? ''));
  const missing = NEEDED.filter((name) => !own.has(name) && !system.has(name));
  const found = NEEDED.length - missing.length;
  return [
    `Driver       ${driverVersion()}${system.has('libcuda.so.1') ? '' : ', libcuda.so.1 is missing: install the driver’s user-space part'}`,
    `CUDA         ${found} of ${NEEDED.length} libraries found${missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`}`,
  ];
}

/**
 * Names of the libraries that the set-up has unpacked.
 * @param {import('./plan.mjs').Plan} plan
 */
function librariesOf(plan) {
  const root = join(plan.libraryRoot, 'nvidia');
  if (!existsSync(root)) return new Set();
  const folders = readdirSync(root).map((name) => join(root, name, 'lib'));
  return new Set(folders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder)));
}

function driverVersion() {
  try {
    const text = readFileSync('/proc/driver/nvidia/version', 'utf8');
    return /Kernel Module[^\d]*([\d.]+)/.exec(text)?.[1] ?? 'loaded, of an unknown version';
  } catch {
    return 'none loaded';
  }
}
