/** What TensorFlow reads from the environment when its library is loaded, set for training. What a user has set stays. */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface EngineSettings {
  /** Cores that TensorFlow may use; all of them without it. */
  MEALTABLE_THREADS?: string | undefined;
  /** '1' has graphs compiled by XLA on a GPU, '0' has not; without it they are where XLA finds what it needs. */
  MEALTABLE_XLA?: string | undefined;
}

/** Sets `process.env`. Throws an Error that names a setting which means nothing. */
export function prepareEnvironment({ MEALTABLE_THREADS: threads, MEALTABLE_XLA: xla }: EngineSettings): void {
  // Warnings and errors only; TensorFlow's start-up chatter would end up in every run's log.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // TensorFlow switches oneDNN on only for processors with AVX512-VNNI or AMX. On AVX2 it pays as well: ResNet-18 at 64 pixels
  // trains 3.6 times faster with it (one thread of an AMD EPYC, 2.16 s against 0.59 s per step of 32 images, 24 Nov 2026).
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Memory is taken as it is needed: otherwise TensorFlow reserves the whole GPU, and no driver could tell what a run needs.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  // cuDNN's persistent batch norm: in bfloat16 a ResNet-50 trains almost twice as fast with it (docs/engine-performance.md).
  process.env.TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT ??= '1';
  setThreads(threads ?? '');
  setXla(xla ?? '');
}

function setThreads(threads: string): void {
  if (threads === '') return;
  if (!/^[1-9]\d{0,3}$/.test(threads)) {
    throw new Error(`MEALTABLE_THREADS is "${threads}"; it must be a whole number of cores, 1 or more.`);
  }
  for (const name of ['TF_NUM_INTRAOP_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS']) process.env[name] = threads;
  // Ops of a graph that do not wait for each other run side by side. With one thread nothing does, and a run can be repeated
  // to the bit.
  process.env.TF_NUM_INTEROP_THREADS = threads;
}

/** XLA merges what stands between convolutions into few kernels: half as fast again on a GPU, after a minute of compiling. */
function setXla(xla: string): void {
  if (!['', '0', '1'].includes(xla)) throw new Error(`MEALTABLE_XLA is "${xla}"; leave it out, or set it to 0 or 1.`);
  const isGpuHost = existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0');
  if (xla === '0' || (xla === '' && !isGpuHost)) return;
  const tools = findCudaTools();
  if (tools === null && xla === '') return;
  if (tools !== null) process.env.XLA_FLAGS ??= `--xla_gpu_cuda_data_dir=${tools}`;
  process.env.TF_XLA_FLAGS ??= '--tf_xla_auto_jit=2';
}

/** Whether every other use of a graph is compiled by XLA for a GPU, which takes long. */
export const compilesGraphs = (): boolean => /auto_jit=[12]/.test(process.env.TF_XLA_FLAGS ?? '');

/** The folder with nvvm/libdevice, which XLA compiles against: from our own set-up, or a CUDA toolkit. */
function findCudaTools(): string | null {
  const folders = [ownCudaTools(), process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'];
  return folders.find((folder) => folder && existsSync(join(folder, 'nvvm', 'libdevice', 'libdevice.10.bc'))) ?? null;
}

/** The package's addon is a link into the cache, where NVIDIA's files lie beside TensorFlow. */
function ownCudaTools(): string | null {
  try {
    const require = createRequire(import.meta.url);
    const packageFolder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
    const addon = realpathSync(join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node'));
    return join(dirname(dirname(addon)), 'nvidia', 'cuda_nvcc');
  } catch {
    return null; // Not set up: there is nothing to compile either.
  }
}
