/** Mixed images in whole steps, on networks whose logits are their images' mean colours times weights. */
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { drawMix } from '../../trainer/data/mixing.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import { withMixing } from '../../trainer/train/mixed-task.ts';
import type { Task } from '../../trainer/train/task.ts';
import { colourImages, createLinearNetwork, createLinearTeacher } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const WEIGHTS = [
  [0.5, -1, 0.25],
  [-0.75, 0.5, 1],
  [1.5, 0, -0.5],
];
const COLOURS = [
  [1, 0, 0.5],
  [0, 1, 0.25],
  [-1, 0.5, 2],
];
const LABELS = [0, 1, 2];
const SEED = 4;
const MIXUP = { kind: 'mixup', alpha: 1, probability: 1 } as const;
const SGD = { momentum: 0.9, weightDecay: 0 };

/** The parts of step `step`, as numbers. */
function runStep(task: Task, step: number): Record<string, number> {
  return tf.tidy(() => {
    const labels = tf.tensor1d(LABELS, 'int32') as Tensor1D;
    const more = task.inputsAt!(step, LABELS.length);
    const { loss, parts } = task.step(colourImages(COLOURS), labels, tf.scalar(0.5), more);
    const entries = Object.entries({ loss, ...parts }) as [string, Scalar][];
    return Object.fromEntries(entries.map(([name, scalar]) => [name, scalar.dataSync()[0]])) as never;
  });
}
const weightsOf = (task: Task) => [...task.network.parameters.get('weight')!.dataSync()];

test('teachers see the mixed images: a student equal to its teacher has nothing to learn', () => {
  const mixed = withMixing(
    createDistillationTask(
      { student: createLinearNetwork(WEIGHTS), teachers: [createLinearTeacher(WEIGHTS)], discriminator: null },
      SGD,
    ),
    MIXUP,
    SEED,
    1,
  );
  const before = weightsOf(mixed);
  const losses = [0, 1, 2].map((step) => runStep(mixed, step).similarity_loss);
  // The images do change from step to step.
  expect(new Set(losses).size).toBe(3);
  for (const [i, weight] of weightsOf(mixed).entries()) expect(weight).toBeCloseTo(before[i]!, 6);
  mixed.dispose();
});

test('a hard-label loss and the accuracy beside it count both images’ labels in their shares', () => {
  const task = withMixing(createClassificationTask(createLinearNetwork(WEIGHTS), SGD), MIXUP, SEED, 1);
  const { order, share } = drawMix(Rng.seeded(SEED), 0, MIXUP, LABELS.length, 1);
  const rows = COLOURS.map((colour, i) => {
    const image = colour.map((value, c) => share * value + (1 - share) * COLOURS[order[i]!]![c]!);
    return [0, 1, 2].map((k) => image.reduce((sum, value, c) => sum + value * WEIGHTS[c]![k]!, 0));
  });
  const mean = (number: (row: number[], label: number) => number) =>
    rows.reduce(
      (sum, row, i) =>
        sum + (share * number(row, LABELS[i]!) + (1 - share) * number(row, LABELS[order[i]!]!)) / rows.length,
      0,
    );
  const { loss, top1 } = runStep(task, 0);
  expect(loss).toBeCloseTo(
    mean((row, label) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[label]!),
    5,
  );
  expect(top1).toBeCloseTo(
    mean((row, label) => (row.indexOf(Math.max(...row)) === label ? 100 : 0)),
    3,
  );
  expect(order).not.toEqual(Int32Array.of(0, 1, 2));
  task.dispose();
});
