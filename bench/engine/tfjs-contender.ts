/** The contenders that run on tfjs-node: as shipped, with our kernels, and captured. Run as `node tfjs-contender.ts JOB` (job.ts). */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { readSafetensors } from '../../trainer/weights/safetensors.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { computeAsShipped } from './as-shipped.ts';
import type { Job, Ready, Turn } from './job.ts';
import { type Batch, createFrozenStep, createTrainingStep, createUnfoldedStep, type Step } from './steps.ts';

/** A loaded contender. */
export interface Loaded {
  /** Does one step and returns its loss (training) or logits (inference), the caller's. */
  run(): Tensor;
  /** Of a captured step. */
  capture?: { seconds: number; nodeCount: number };
  dispose(): void;
}

/** Builds the job's network with the weights of `state` and makes its step. `batch` stays the caller's. */
export async function load(job: Job, state: StateDict, batch: Batch): Promise<Loaded> {
  const { network: name, classes, mode } = job.case;
  const network = createNetwork(NetworkName.parse(name), classes, Rng.seeded(0));
  network.loadStateDict(state);
  if (mode === 'training') return start(job, createTrainingStep(network), batch, ({ loss }) => loss);
  const create = job.contender === 'tfjs' ? createUnfoldedStep : createFrozenStep;
  return start(job, create(network), { images: batch.images }, ({ logits }) => logits);
}

async function start<I extends Record<string, Tensor>, O extends Record<string, Tensor>>(
  job: Job,
  step: Step<I, O>,
  inputs: I,
  pick: (outputs: O) => Tensor,
): Promise<Loaded> {
  if (job.contender !== 'captured') return { run: () => pick(step.run(inputs)), dispose: step.dispose };
  // The others do not carry what they do not use.
  const { captureStep } = await import('./captured-step.ts');
  const captured = captureStep(step, inputs, { folder: job.cacheFolder, key: job.case.id });
  return { run: () => pick(captured.run(inputs)), capture: captured, dispose: captured.dispose };
}

/** What the next step adds to `Ready.checks`: its loss in training; in inference the loss and root mean square of its logits. */
export function nextChecks(loaded: Loaded, { softLabels }: Batch): number[] {
  return tf.tidy(() => {
    const output = loaded.run();
    if (output.rank === 0) return [...output.dataSync()];
    const loss = softCrossEntropy(output as Tensor2D, softLabels);
    return [loss, output.square().mean().sqrt()].map((check) => check.dataSync()[0]!) as never;
  });
}

/** Runs `steps` steps; reading the last result waits for all of them, on a GPU too. */
function takeTurn(loaded: Loaded, steps: number): Turn {
  const began = performance.now();
  for (let i = 1; i < steps; i++) loaded.run().dispose();
  const last = loaded.run();
  last.dataSync();
  const seconds = (performance.now() - began) / 1000;
  last.dispose();
  return { seconds };
}

async function loadJob(job: Job): Promise<{ loaded: Loaded; batch: Batch }> {
  const weights = await readSafetensors(path.join(job.folder, 'weights.safetensors'));
  const { tensors } = await readSafetensors(path.join(job.folder, 'batch.safetensors'));
  const tensor = (name: string) => tf.tensor(tensors.get(name)!.data as Float32Array, tensors.get(name)!.shape);
  const batch = {
    images: tensor('images') as Tensor4D,
    softLabels: tensor('soft_labels') as Tensor2D,
    learningRate: tf.scalar(job.learningRate),
  };
  return { loaded: await load(job, weights.tensors, batch), batch };
}

async function main(job: Job): Promise<void> {
  const runtime = await loadRuntime({ MEALTABLE_THREADS: String(job.threads) });
  if (runtime.backend !== 'tensorflow') throw new Error(runtime.announce ?? 'TensorFlow could not be loaded.');
  if (job.contender === 'tfjs') computeAsShipped(runtime.tf);
  const { loaded, batch } = await loadJob(job);
  const began = performance.now();
  const checks = nextChecks(loaded, batch);
  const firstRunSeconds = (performance.now() - began) / 1000;
  if (job.case.mode === 'training') checks.push(...nextChecks(loaded, batch));
  const { seconds, nodeCount } = loaded.capture ?? {};
  const capture = seconds === undefined ? undefined : { seconds, firstRunSeconds, nodeCount: nodeCount! };
  const send = (message: { ready: Ready } | Turn) => process.stdout.write(`${JSON.stringify(message)}\n`);
  send({ ready: { version: runtime.versionText, checks, capture } });
  for await (const line of createInterface({ input: process.stdin })) {
    send(takeTurn(loaded, (JSON.parse(line) as { steps: number }).steps));
  }
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2]!) as Job);
