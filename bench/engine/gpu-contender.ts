/**
 * Our side of the GPU benchmark: a captured training step. Run as `node gpu-contender.ts JOB` (gpu-job.ts); prints
 * `{"ready": ...}`, then answers each line `{"steps": n}` on stdin with `{"seconds": s}`, until stdin ends.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { NetworkName } from '@mealtable/protocol/networks';
import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import { type CapturedStep, capture } from '../../trainer/engine/capture.ts';
import { normalisePixels, uploadPixels } from '../../trainer/engine/pixels.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import type { GpuJob } from './gpu-job.ts';
import { type Batch, createTrainingStep } from './steps.ts';

type Loss = { loss: Scalar };
interface HostBatch {
  /** Bytes. */
  pixels: Uint8Array;
  softLabels: Float32Array;
}

/** A batch of random images and soft labels whose rows sum to 1. */
export function drawBatch({ batch, inputSize, classes }: GpuJob, seed: number): HostBatch {
  const rng = Rng.seeded(seed);
  const noise = new Float32Array(batch * inputSize * inputSize * 3);
  rng.stream('images').fillUniform(noise, 0, 256);
  const softLabels = new Float32Array(batch * classes);
  rng.stream('labels').fillUniform(softLabels, 0, 1);
  for (let i = 0; i < batch; i++) {
    const row = softLabels.subarray(i * classes, (i + 1) * classes);
    const sum = row.reduce((total, value) => total + value, 0);
    for (let c = 0; c < classes; c++) row[c]! /= sum;
  }
  return { pixels: Uint8Array.from(noise), softLabels };
}

/** The batch as tensors; the caller disposes of them. */
export function upload({ pixels, softLabels }: HostBatch, { batch, classes }: GpuJob): Omit<Batch, 'learningRate'> {
  return {
    images: tf.tidy(() => normalisePixels(uploadPixels(pixels, batch))),
    softLabels: tf.tensor2d(softLabels, [batch, classes]) as Tensor2D,
  };
}

interface Loaded {
  captured: Pick<CapturedStep<never, Loss>, 'nodeCount' | 'fromCache' | 'dispose'>;
  /** Does `steps` steps and returns the last loss. */
  run(steps: number): number;
}

function read({ loss }: Loss): number {
  const [value] = loss.dataSync();
  loss.dispose();
  return value!;
}

/** Captures the step of `job`. What stays resident is a constant of the graph, so it lies on the GPU beside the weights. */
export function load(job: GpuJob): Loaded {
  const network = createNetwork(NetworkName.parse(job.network), job.classes, Rng.seeded(0));
  const step = createTrainingStep(network);
  const learningRate = tf.scalar(job.learningRate);
  const hosts = [drawBatch(job, 1), drawBatch(job, 2)];
  const { precision, cacheFolder: folder } = job;
  const key = [job.network, job.inputSize, job.batch, precision, job.feed].join('-');
  const { variables } = step;
  const batch = upload(hosts[0]!, job);
  if (job.feed === 'resident') {
    const captured = capture((inputs: { learningRate: Scalar }) => step.run({ ...batch, ...inputs }), {
      inputs: { learningRate },
      variables,
      constants: [batch.images, batch.softLabels],
      precision,
      cache: { folder, key },
    });
    const run = (steps: number) => {
      for (let i = 1; i < steps; i++) captured.run({ learningRate }).loss.dispose();
      return read(captured.run({ learningRate }));
    };
    return { captured, run };
  }
  tf.dispose([batch.images, batch.softLabels]);
  // As the trainer does it: bytes go up while the step before them computes, and are normalised there.
  const prepare = ({ pixels, softLabels }: HostBatch) => ({
    pixels: uploadPixels(pixels, job.batch),
    softLabels: tf.tensor2d(softLabels, [job.batch, job.classes]) as Tensor2D,
    learningRate,
  });
  let current = prepare(hosts[0]!);
  const fedStep = ({ pixels, ...rest }: typeof current) => step.run({ images: normalisePixels(pixels), ...rest });
  const captured = capture(fedStep, { inputs: current, variables, precision, staged: true, cache: { folder, key } });
  const run = (steps: number) => {
    let loss = Number.NaN;
    for (let i = 0; i < steps; i++) {
      const next = prepare(hosts[(i + 1) % 2]!);
      loss = read(captured.run(current, next));
      tf.dispose([current.pixels, current.softLabels]);
      current = next;
    }
    return loss;
  };
  return { captured, run };
}

/** Bytes of the GPU's memory that this process holds, or null where nvidia-smi does not say. */
export function deviceBytes(): number | null {
  try {
    const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
    const rows = execFileSync('nvidia-smi', query, { encoding: 'utf8' }).trim().split('\n');
    const own = rows.map((row) => row.split(',').map(Number)).find(([pid]) => pid === process.pid);
    return own === undefined || Number.isNaN(own[1]) ? null : own[1]! * 2 ** 20;
  } catch {
    return null;
  }
}

async function main(job: GpuJob): Promise<void> {
  const runtime = await loadRuntime();
  if (runtime.backend !== 'tensorflow') throw new Error(runtime.announce ?? 'TensorFlow could not be loaded.');
  const began = performance.now();
  const { captured, run } = load(job);
  const seconds = (performance.now() - began) / 1000;
  const send = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
  const { nodeCount, fromCache } = captured;
  const version = `${runtime.versionText} on ${runtime.device}`;
  const losses = [run(1), run(1)];
  send({ ready: { version, losses, capture: { seconds, nodeCount, fromCache } } });
  for await (const line of createInterface({ input: process.stdin })) {
    const { steps } = JSON.parse(line) as { steps: number };
    const start = performance.now();
    const loss = run(steps);
    send({ seconds: (performance.now() - start) / 1000, loss, deviceBytes: deviceBytes() });
  }
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2]!) as GpuJob);
