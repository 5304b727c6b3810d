import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { batchNormEval, batchNormTrack, batchNormTrain } from '../../trainer/engine/batch-norm.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const EPSILON = 1e-5;
const SHAPE: [number, number, number, number] = [4, 3, 5, 2];

interface Arrays {
  y: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
  gradients: Float32Array[];
}

function normals(count: number, stream: string): Float32Array {
  const rng = Rng.seeded(1, stream);
  return Float32Array.from({ length: count }, () => 2 * rng.normal() + 0.5);
}

/** Forward pass, statistics and the gradients of sum(weights * y) on the backend that is active. */
function compute(): Arrays {
  return tf.tidy(() => {
    const x = tf.tensor4d(normals(120, 'x'), SHAPE);
    const gamma = tf.tensor1d([0.7, -1.3]);
    const beta = tf.tensor1d([0.2, 0.4]);
    const weights = tf.tensor4d(normals(120, 'weights'), SHAPE);
    const { y, mean, variance } = batchNormTrain(x, gamma, beta, EPSILON);
    const gradients = tf.grads((...inputs: Tensor[]) => {
      const [x, gamma, beta] = inputs as [Tensor4D, Tensor1D, Tensor1D];
      return batchNormTrain(x, gamma, beta, EPSILON).y.mul(weights).sum();
    })([x, gamma, beta]);
    const read = (tensor: Tensor) => tensor.dataSync() as Float32Array;
    return { y: read(y), mean: read(mean), variance: read(variance), gradients: gradients.map(read) };
  });
}

async function onPlainBackend<T>(work: () => T): Promise<T> {
  const previous = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    return work();
  } finally {
    await tf.setBackend(previous);
  }
}

test.runIf(backend === 'tensorflow')(
  'the fused op and the composed path agree in values, statistics and gradients',
  async () => {
    const fused = compute();
    const composed = await onPlainBackend(compute);
    expectClose(fused.y, composed.y, 2e-6);
    expectClose(fused.mean, composed.mean, 1e-6);
    expectClose(fused.variance, composed.variance, 1e-5);
    for (const [i, gradient] of fused.gradients.entries()) expectClose(gradient, composed.gradients[i]!, 5e-5);
  },
);

/** The same loss in float64, written out from the definition. */
function lossInDoubles(x: Float64Array, gamma: number[], beta: number[]): number {
  const weights = normals(120, 'weights');
  let loss = 0;
  for (let channel = 0; channel < 2; channel++) {
    const values = [...x].filter((_, i) => i % 2 === channel);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    for (const [i, value] of values.entries()) {
      const y = ((value - mean) / Math.sqrt(variance + EPSILON)) * gamma[channel]! + beta[channel]!;
      loss += y * weights[2 * i + channel]!;
    }
  }
  return loss;
}

test('the gradients are those of finite differences', () => {
  const { gradients } = compute();
  const step = 1e-5;
  const x = Float64Array.from(normals(120, 'x'));
  const gamma = [0.7, -1.3];
  const beta = [0.2, 0.4];
  const differentiate = (array: Float64Array | number[]): number[] =>
    Array.from(array, (value, i) => {
      array[i] = value + step;
      const above = lossInDoubles(x, gamma, beta);
      array[i] = value - step;
      const below = lossInDoubles(x, gamma, beta);
      array[i] = value;
      return (above - below) / (2 * step);
    });
  expectClose(gradients[0]!, differentiate(x), 2e-5);
  expectClose(gradients[1]!, differentiate(gamma), 1e-4);
  expectClose(gradients[2]!, differentiate(beta), 1e-4);
});

describe.each(backend === 'tensorflow' ? ['tensorflow', 'cpu'] : ['cpu'])('on the backend %s', (name) => {
  const run = <T>(work: () => T): Promise<T> => (name === 'cpu' ? onPlainBackend(work) : Promise.resolve(work()));
  /** One channel with the values 1, 2, 3, 4: mean 2.5, biased variance 1.25, unbiased 5/3. */
  const ramp = () => tf.tensor4d([1, 2, 3, 4], [4, 1, 1, 1]);

  test('the statistics are the mean and the unbiased variance; the output is normalised by the biased one', () =>
    run(() =>
      tf.tidy(() => {
        const { y, mean, variance } = batchNormTrain(ramp(), tf.tensor1d([1]), tf.tensor1d([0]), 0);
        expectClose(mean.dataSync(), [2.5], 1e-6);
        expectClose(variance.dataSync(), [5 / 3], 1e-6);
        expectClose(
          y.dataSync(),
          [-1.5, -0.5, 0.5, 1.5].map((v) => v / Math.sqrt(1.25)),
          1e-6,
        );
      }),
    ));

  test('running statistics move a tenth of the way, twice over, inside a gradient and without leaving tensors', () =>
    run(() => {
      const variable = (value: number) => tf.tidy(() => tf.variable(tf.tensor1d([value])));
      const running = { mean: variable(1), variance: variable(2) };
      tf.tidy(() => {
        const loss = (x: Tensor) =>
          batchNormTrack(x as Tensor4D, tf.tensor1d([2]), tf.tensor1d([0]), running, EPSILON)
            .square()
            .sum();
        tf.grad(loss)(ramp());
        expectClose(running.mean.dataSync(), [0.9 * 1 + 0.1 * 2.5], 1e-6);
        expectClose(running.variance.dataSync(), [0.9 * 2 + (0.1 * 5) / 3], 1e-6);
        const during = tf.memory().numTensors;
        tf.tidy(() => tf.grad(loss)(ramp()).dispose());
        expect(tf.memory().numTensors).toBe(during);
        expectClose(running.mean.dataSync(), [0.9 * 1.15 + 0.1 * 2.5], 1e-6);
      });
      tf.dispose([running.mean, running.variance]);
    }));

  test('evaluation uses the statistics that it is given', () =>
    run(() =>
      tf.tidy(() => {
        const statistics = { mean: tf.tensor1d([1]), variance: tf.tensor1d([4]) };
        const y = batchNormEval(ramp(), tf.tensor1d([3]), tf.tensor1d([0.5]), statistics, 0);
        expectClose(
          y.dataSync(),
          [0, 1, 2, 3].map((v) => (v / 2) * 3 + 0.5),
          1e-6,
        );
      }),
    ));
});
