/**
 * Does the captured step on this device compute what it should? A few steps of a small network: eager against captured in
 * float32, and each low precision against float32 over ten steps. `node gpu-check.ts [network] [size] [batch]`, one JSON line each.
 */
import { NetworkName } from '@mealtable/protocol/networks';
import type { Scalar, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { capture, type Precision } from '../../trainer/engine/capture.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createTrainingStep, LEARNING_RATE } from './steps.ts';

const STEPS = 10;
const CLASSES = 10;
const [name = 'resnet18', size = '64', batch = '32'] = process.argv.slice(2);

function draw(): { images: Tensor4D; softLabels: Tensor2D; learningRate: Scalar } {
  const [side, count] = [Number(size), Number(batch)];
  const softLabels = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i++) softLabels[i * CLASSES + (i % CLASSES)] = 1;
  return {
    images: tf.randomNormal([count, side, side, 3], 0, 1, 'float32', 7) as Tensor4D,
    softLabels: tf.tensor2d(softLabels, [count, CLASSES]),
    learningRate: tf.scalar(LEARNING_RATE),
  };
}

/** The losses of `STEPS` steps from the same start; `precision` null runs eagerly. */
function losses(precision: Precision | null): number[] {
  const step = createTrainingStep(createNetwork(NetworkName.parse(name), CLASSES, Rng.seeded(3)));
  const inputs = draw();
  const captured = precision === null ? null : capture(step.run, { inputs, variables: step.variables, precision });
  const values = Array.from({ length: STEPS }, () => {
    const { loss } = captured === null ? step.run(inputs) : captured.run(inputs);
    const [value] = loss.dataSync();
    loss.dispose();
    return value!;
  });
  captured?.dispose();
  step.dispose();
  tf.dispose(inputs);
  return values;
}

const runtime = await loadRuntime();
console.log(JSON.stringify({ version: runtime.versionText, backend: runtime.backend, device: runtime.device }));
let reference: number[] | null = null;
for (const precision of [null, 'float32', 'bfloat16', 'float16'] as const) {
  const began = performance.now();
  try {
    const found = losses(precision);
    reference ??= found;
    const difference = Math.max(
      ...found.map((value, i) => Math.abs(value - reference![i]!) / Math.abs(reference![i]!)),
    );
    const seconds = (performance.now() - began) / 1000;
    console.log(JSON.stringify({ precision: precision ?? 'eager', seconds, difference, losses: found }));
  } catch (error) {
    console.log(JSON.stringify({ precision: precision ?? 'eager', error: (error as Error).message.slice(0, 2000) }));
  }
}
