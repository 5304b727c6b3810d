/** Loads TensorFlow: native where `npm run setup` has made it ready, plain TensorFlow.js as the announced fallback. */
import { createRequire } from 'node:module';
import type { NativeBackend } from './backend.ts';
import { type EngineSettings, prepareEnvironment } from './environment.ts';
import { installPlainKernels } from './plain-kernels.ts';
import type { Tf } from './tf.ts';
import { setTensorFlow } from './tf.ts';

export interface Runtime {
  tf: Tf;
  /** 'tensorflow': libtensorflow through tfjs-node-gpu. 'cpu': plain TensorFlow.js, tens of times slower. */
  backend: 'tensorflow' | 'cpu';
  device: 'cpu' | 'gpu';
  /** For logs and checkpoints, e.g. 'TensorFlow 2.21.0 through tfjs-node-gpu 4.22.0'. */
  versionText: string;
  /** A sentence that must be shown to the user, or null when there is nothing to say. */
  announce: string | null;
}

/** What of the environment decides how TensorFlow is loaded. */
export interface RuntimeEnv extends EngineSettings {
  /** 'cpu' takes plain TensorFlow.js although the native one may be ready. */
  MEALTABLE_ENGINE?: string | undefined;
}

let loading: Promise<Runtime> | undefined;

/** Loads TensorFlow once per process and sets `tf` (tf.ts). Throws on a setting that means nothing. */
export function loadRuntime(env: RuntimeEnv = process.env as RuntimeEnv): Promise<Runtime> {
  loading ??= load(env);
  return loading;
}

async function load(env: RuntimeEnv): Promise<Runtime> {
  const engine = env.MEALTABLE_ENGINE ?? '';
  if (engine !== '' && engine !== 'cpu') {
    throw new Error(`MEALTABLE_ENGINE is "${engine}"; leave it out, or set it to "cpu" for plain TensorFlow.js.`);
  }
  prepareEnvironment(env);
  if (engine === 'cpu') return loadPlain('MEALTABLE_ENGINE=cpu asks for it: leave that out for the native TensorFlow');
  try {
    return loadNative();
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    // The package's own advice is to build against a TensorFlow of 2022.
    const reason = message.includes('native addon module') ? 'it is not set up here yet' : message;
    return loadPlain(
      `the native TensorFlow could not be loaded (${reason}): run "npm run setup --workspace trainer" to get it`,
    );
  }
}

function loadNative(): Runtime {
  const require = createRequire(import.meta.url);
  // tfjs-node calls these on every read. Node 20 and 22 print a deprecation for them, Node 23 no longer has them.
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const tf = require('@tensorflow/tfjs-node-gpu') as Tf & { version: Record<string, string> };
  const backend = tf.backend() as unknown as NativeBackend;
  setTensorFlow(tf);
  return {
    tf,
    backend: 'tensorflow',
    device: backend.isUsingGpuDevice ? 'gpu' : 'cpu',
    versionText: `TensorFlow ${backend.binding.TF_Version} through tfjs-node-gpu ${tf.version['tfjs-node']}`,
    announce: null,
  };
}

async function loadPlain(reason: string): Promise<Runtime> {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as Tf;
  // Without this flag the package prints an advertisement for tfjs-node; our own announcement says what to do.
  tf.env().set('PROD', true);
  installPlainKernels(tf);
  await tf.setBackend('cpu');
  await tf.ready();
  setTensorFlow(tf);
  return {
    tf,
    backend: 'cpu',
    device: 'cpu',
    versionText: `TensorFlow.js ${tf.version.tfjs} (plain JavaScript)`,
    announce: `Training runs in plain JavaScript, tens of times slower than it could, because ${reason}.`,
  };
}
