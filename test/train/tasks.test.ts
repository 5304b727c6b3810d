import type { Scalar } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { createDiscriminator, type Discriminator } from '../../trainer/distill/discriminator.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import type { StepResult, Task } from '../../trainer/train/task.ts';
import { colourImages, createLinearNetwork, createLinearTeacher } from '../support/linear-network.ts';
import { exampleDiscriminator, STUDENT, TEACHERS } from '../support/synthetic-case.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

// Expected numbers of the reference loss, computed with PyTorch in float64.
const CLASSES = 8;
const [TEACHER_1, TEACHER_2] = TEACHERS;
const LOSS_KD = 2.7160968929;
const LOSS_D = 0.7272201255;
const SGD = { momentum: 0.9, weightDecay: 0 };
const RATE = 0.1;

const withThirdRow = (rows: number[][]) => [...rows, Array<number>(CLASSES).fill(0)];
const unitImages = () =>
  colourImages([
    [1, 0, 0],
    [0, 1, 0],
  ]);

function createReferenceTask(discriminator: Discriminator | null): Task {
  return createDistillationTask(
    {
      student: createLinearNetwork(withThirdRow(STUDENT)),
      teachers: [createLinearTeacher(withThirdRow(TEACHER_1)), createLinearTeacher(withThirdRow(TEACHER_2))],
      discriminator,
    },
    SGD,
  );
}

/** One step's numbers; nothing of it stays behind. */
function runStep(task: Task, images = unitImages(), labelList = [0, 7], rate = RATE): Record<string, number> {
  const labels = tf.tensor1d(labelList, 'int32');
  const { loss, parts }: StepResult = tf.tidy(() => task.step(images, labels, tf.scalar(rate), {}) as never);
  const read = (scalar: Scalar) => scalar.dataSync()[0]!;
  const values = Object.fromEntries([
    ['loss', read(loss)],
    ...Object.entries(parts).map(([name, scalar]) => [name, read(scalar)]),
  ]);
  tf.dispose([images, labels, loss, ...Object.values(parts)]);
  return values;
}

const weightsOf = (task: Task) => [...task.network.parameters.get('weight')!.dataSync()];

/** In double precision: softmax rows, their mean over teachers, and d(soft cross-entropy)/d(student logits). */
const softmax = (row: number[]) => {
  const max = Math.max(...row);
  const exps = row.map((x) => Math.exp(x - max));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((x) => x / sum);
};
const target = [0, 1].map((i) => {
  const [a, b] = [softmax(TEACHER_1[i]!), softmax(TEACHER_2[i]!)];
  return a.map((x, c) => (x + b[c]!) / 2);
});
const similarityGradient = (student: number[][]) =>
  student.map((row, i) => softmax(row).map((p, c) => (p - target[i]![c]!) / 2));
const similarityLoss = (student: number[][]) =>
  student.reduce((sum, row, i) => sum - softmax(row).reduce((s, p, c) => s + target[i]![c]! * Math.log(p), 0), 0) / 2;

describe('a distillation step', () => {
  test('without the discriminator descends the similarity loss to the mean of the softmaxes', () => {
    const task = createReferenceTask(null);
    const values = runStep(task);
    expect(values.loss).toBeCloseTo(LOSS_KD, 5);
    expect(values.similarity_loss).toBe(values.loss);
    expect(similarityLoss(STUDENT)).toBeCloseTo(LOSS_KD, 9);
    expect(similarityGradient(STUDENT)[0]![0]).toBeCloseTo(0.00195086, 8);
    const expected = STUDENT.map((row, i) => row.map((s, c) => s - RATE * similarityGradient(STUDENT)[i]![c]!));
    expectClose(weightsOf(task).slice(0, 2 * CLASSES), expected.flat(), 1e-6);
    task.dispose();
  });

  test('with momentum: the second update adds nine tenths of the first', () => {
    const task = createReferenceTask(null);
    runStep(task);
    const second = runStep(task);
    const first = similarityGradient(STUDENT);
    const moved = STUDENT.map((row, i) => row.map((s, c) => s - RATE * first[i]![c]!));
    const gradient = similarityGradient(moved);
    const expected = moved.map((row, i) => row.map((s, c) => s - RATE * (0.9 * first[i]![c]! + gradient[i]![c]!)));
    expect(second.loss).toBeCloseTo(similarityLoss(moved), 5);
    expectClose(weightsOf(task).slice(0, 2 * CLASSES), expected.flat(), 1e-6);
    task.dispose();
  });

  test('with the discriminator descends the sum, student and discriminator at one rate', async () => {
    const discriminator = exampleDiscriminator();
    const before = await discriminator.toStateDict();
    const task = createReferenceTask(discriminator);
    // At a rate of 1 the weights move by the gradient itself.
    const values = runStep(task, unitImages(), [0, 7], 1);
    expect(values.similarity_loss).toBeCloseTo(LOSS_KD, 5);
    expect(values.discriminator_loss).toBeCloseTo(LOSS_D, 5);
    expect(values.loss).toBeCloseTo(LOSS_KD + LOSS_D, 5);
    const weights = weightsOf(task);
    const gradientAt = (i: number, c: number) => STUDENT[i]![c]! - weights[i * CLASSES + c]!;
    expect(gradientAt(0, 0)).toBeCloseTo(0.000845255, 6);
    expect(gradientAt(1, 7)).toBeCloseTo(0.041696433, 6);
    const after = await discriminator.toStateDict();
    const gradientSum = (name: string) =>
      [...(before.get(name)!.data as Float32Array)].reduce(
        (sum, w, i) => sum + (w - (after.get(name)!.data as Float32Array)[i]!),
        0,
      );
    expect(gradientSum('fc1.weight')).toBeCloseTo(0.0520861235, 6);
    expect(gradientSum('fc3.weight')).toBeCloseTo(0.0471267409, 6);
    task.dispose();
  });

  test('uses hard labels for the logged accuracy alone', () => {
    const accuracies = [
      [0, 7],
      [6, 1],
    ].map((labels) => {
      const task = createReferenceTask(null);
      const { top1 } = runStep(task, unitImages(), labels);
      const weights = weightsOf(task);
      task.dispose();
      return { top1, weights };
    });
    const best = STUDENT.map((row) => row.indexOf(Math.max(...row)));
    expect(accuracies[0]!.weights).toEqual(accuracies[1]!.weights);
    expect(accuracies.map(({ top1 }) => top1)).toEqual(
      [
        [0, 7],
        [6, 1],
      ].map((labels) => 50 * labels.filter((label, i) => label === best[i]).length),
    );
  });
});

test('a classification step descends the cross-entropy with the hard labels', () => {
  const task = createClassificationTask(createLinearNetwork(withThirdRow(STUDENT)), {
    momentum: 0.9,
    weightDecay: 0.01,
  });
  const labels = [2, 5];
  const values = runStep(task, unitImages(), labels);
  const expectedLoss = -STUDENT.reduce((sum, row, i) => sum + Math.log(softmax(row)[labels[i]!]!), 0) / 2;
  expect(values.loss).toBeCloseTo(expectedLoss, 5);
  expect(values.hard_label_loss).toBe(values.loss);
  const expected = STUDENT.map((row, i) =>
    row.map((s, c) => s - RATE * ((softmax(row)[c]! - (c === labels[i] ? 1 : 0)) / 2 + 0.01 * s)),
  );
  expectClose(weightsOf(task).slice(0, 2 * CLASSES), expected.flat(), 1e-6);
  task.dispose();
});

describe("a task's state", () => {
  const random = (seed: number) =>
    tf.tensor4d(
      Float32Array.from({ length: 4 * 16 * 16 * 3 }, (_, i) => Math.sin(i * seed)),
      [4, 16, 16, 3],
    );
  const createTask = () => {
    const teacher = createNetwork('resnet18_w8', 3, Rng.seeded(9));
    const frozen = teacher.freeze();
    teacher.dispose();
    return createDistillationTask(
      {
        student: createNetwork('resnet18_w8', 3, Rng.seeded(1)),
        teachers: [frozen],
        discriminator: createDiscriminator(3, Rng.seeded(2)),
      },
      SGD,
    );
  };

  test('put into another task of the same kind, it goes on with the same numbers, of a real network too', async () => {
    const first = createTask();
    for (let i = 1; i <= 2; i++) runStep(first, random(i), [0, 1, 2, 0]);
    const [model, state] = [await first.network.toStateDict(), await first.toState()];
    const second = createTask();
    second.network.loadStateDict(model);
    second.loadState(state);
    const [a, b] = [first, second].map((task) => runStep(task, random(3), [0, 1, 2, 0]));
    expectClose(Object.values(b!), Object.values(a!), 1e-6);
    first.dispose();
    second.dispose();
  });

  test('of another network is refused with its keys', async () => {
    const first = createTask();
    const state = await first.toState();
    state.delete('sgd.network.fc.bias');
    state.delete('discriminator.fc1.bias');
    expect(() => first.loadState(state)).toThrow(/network\.fc\.bias/);
    first.dispose();
  });
});
