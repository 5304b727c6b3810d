/** Thirty steps of the whole method against PyTorch's (test/parity/make_distillation_reference.py), eager and captured. */
import type { DistillationMethod } from '@mealtable/protocol/distillation-method';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor4D } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createDiscriminator } from '../../trainer/distill/discriminator.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import type { Network } from '../../trainer/models/network.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import type { Task } from '../../trainer/train/task.ts';
import { captureTask, type StepInputs, stepOf } from '../support/captured-steps.ts';
import { hashed, hashStateDict } from '../support/hashed-weights.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import reference from './trajectory.json' with { type: 'json' };

await setUpTensorFlow();
const TOLERANCE = 1e-4;
const { classes, batch, blocks, size, gain } = reference;
const TRAJECTORIES = Object.entries(reference.trajectories);
type Trajectory = (typeof TRAJECTORIES)[number][1];

async function hashedNetwork(name: string): Promise<Network> {
  const network = createNetwork(name as NetworkName, classes, null);
  network.loadStateDict(hashStateDict(await network.toStateDict(), gain));
  return network;
}

async function createTask({ method: { teacherWeights, ...method } }: Trajectory): Promise<Task> {
  const teachers = [];
  for (const name of reference.teachers) {
    const network = await hashedNetwork(name);
    teachers.push(network.freeze());
    network.dispose();
  }
  const discriminator = createDiscriminator(classes, Rng.seeded(0), method.discriminator);
  discriminator.loadStateDict(hashStateDict(await discriminator.toStateDict(), reference.discriminatorGain));
  return createDistillationTask(
    { student: await hashedNetwork(reference.student), teachers, discriminator },
    { momentum: reference.momentum, weightDecay: 0 },
    { method: method as DistillationMethod, teacherWeights },
  );
}

/** Of coloured squares, as in the script. */
function inputsAt(step: number): StepInputs {
  const squares = hashed(batch * blocks * blocks * 3, reference.firstImageStream + step);
  const labels = Int32Array.from({ length: batch }, (_, i) => (i + step) % classes);
  const shape = [batch, blocks, blocks, 3] as const;
  const small = tf.tidy(() => tf.tensor4d(Float32Array.from(squares, Math.fround), [...shape]).mul(4) as Tensor4D);
  const images = tf.tidy(() => tf.image.resizeNearestNeighbor(small, [size, size]));
  small.dispose();
  return {
    images,
    labels: tf.tensor1d(labels, 'int32'),
    rate: tf.scalar(reference.rate * (step < reference.dropAt ? 1 : reference.drop)),
  };
}

/** Norms of all weights and statistics, by PyTorch's names. */
async function normsOf(task: Task): Promise<Record<string, number>> {
  const states = { network: await task.network.toStateDict(), discriminator: new Map() };
  for (const [name, tensor] of await task.toState())
    if (name.startsWith('discriminator.')) states.discriminator.set(name.slice('discriminator.'.length), tensor);
  return Object.fromEntries(
    Object.entries(states).flatMap(([of, state]) =>
      [...state]
        .filter(([, { shape }]) => shape.length > 0)
        .map(([name, { data }]) => [`${of}.${name}`, Math.hypot(...(data as Float32Array))]),
    ),
  );
}

const relative = (actual: number, expected: number) => Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-6);

test.each(
  TRAJECTORIES.flatMap(([name, trajectory]) => [
    { name, form: 'eager', trajectory },
    { name, form: 'captured', trajectory },
  ]),
)('$name, $form: thirty steps as in PyTorch', async ({ name, form, trajectory }) => {
  const task = await createTask(trajectory);
  const example = inputsAt(0);
  const captured = form === 'captured' ? captureTask(task, example) : null;
  tf.dispose(example);
  let worst = 0;
  for (const [step, expected] of trajectory.steps.entries()) {
    const inputs = inputsAt(step);
    const results = captured === null ? tf.tidy(() => stepOf(task)(inputs)) : captured.run(inputs);
    expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort());
    for (const [metric, value] of Object.entries(expected)) {
      const [actual] = results[metric]!.dataSync();
      const difference = relative(actual!, value);
      expect(difference, `${metric} of step ${step}: ${actual} against ${value}`).toBeLessThanOrEqual(TOLERANCE);
      worst = Math.max(worst, difference);
    }
    tf.dispose([inputs, results] as never);
  }
  captured?.pull();
  const norms = await normsOf(task);
  const drift = Object.entries(trajectory.norms).map(([key, norm]) => relative(norms[key]!, norm));
  console.info(
    `${name}, ${form}: losses differ by at most ${worst.toExponential(1)}, norms of weights by ${Math.max(...drift).toExponential(1)}`,
  );
  expect(Object.keys(norms).sort()).toEqual(Object.keys(trajectory.norms).sort());
  expect(Math.max(...drift)).toBeLessThanOrEqual(TOLERANCE);
  captured?.dispose();
  task.dispose();
});

test('PyTorch was asked something: the losses move, the discriminator learns, the learning rate drops', () => {
  const { steps } = reference.trajectories['MEAL V2'];
  const [first, last] = [steps[0]!, steps.at(-1)!];
  expect(last.similarity_loss).toBeLessThan(0.95 * first.similarity_loss);
  expect(last.teacher_agreement).toBeGreaterThan(first.teacher_agreement + 25);
  expect(last.discriminator_loss).toBeGreaterThan(Math.LN2 / 2);
  expect(last.discriminator_loss).toBeLessThan(first.discriminator_loss - 0.2);
  expect(reference.dropAt).toBeLessThan(steps.length);
});
