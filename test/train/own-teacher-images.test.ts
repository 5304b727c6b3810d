/** Teachers that see the student's crops at a size of their own. */
import { MEAL_V2 } from '@mealtable/protocol/distillation-method';
import type { Tensor } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { mixImages, uploadMix } from '../../trainer/data/mix-images.ts';
import { cutBox } from '../../trainer/data/mixing.ts';
import { createDiscriminator } from '../../trainer/distill/discriminator.ts';
import { capture } from '../../trainer/engine/capture.ts';
import { normalisePixels, uploadPixels } from '../../trainer/engine/pixels.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import { withMixing } from '../../trainer/train/mixed-task.ts';
import { withTeacherImages } from '../../trainer/train/own-teacher-images.ts';
import { estimateStepBytes } from '../../trainer/train/step-memory.ts';
import type { Task } from '../../trainer/train/task.ts';
import { numbersOf, relativeDifference, type StepInputs, stepOf } from '../support/captured-steps.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
const { backend } = await setUpTensorFlow();
const [BATCH, SIZE, LARGE, CLASSES, STEPS] = [4, 16, 24, 3, 6];
const CUTMIX = { kind: 'cutmix', alpha: 1, probability: 1 } as const;

function createTask(): Task {
  const network = (seed: number) => createNetwork('resnet18_w8', CLASSES, Rng.seeded(seed));
  const teachers = [1, 2].map((seed) => {
    const trained = network(seed);
    const frozen = trained.freeze();
    trained.dispose();
    return frozen;
  });
  const discriminator = createDiscriminator(CLASSES, Rng.seeded(4), MEAL_V2.discriminator);
  return createDistillationTask({ student: network(3), teachers, discriminator }, { momentum: 0.9, weightDecay: 0 });
}
const bytes = (size: number, seed: number) => {
  const rng = Rng.seeded(seed);
  return Uint8Array.from({ length: BATCH * size ** 2 * 3 }, () => rng.integer(256));
};
function inputsAt(task: Task, step: number, teacherPixels?: Uint8Array): StepInputs {
  const pixels = uploadPixels(bytes(SIZE, step), BATCH);
  const images = normalisePixels(pixels);
  pixels.dispose();
  const labels = tf.tensor1d(
    Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES),
    'int32',
  );
  return { images, labels, rate: tf.scalar(0.01), ...task.inputsAt!(step, BATCH, undefined, teacherPixels) };
}
const play = (task: Task, pixelsAt: (step: number) => Uint8Array | undefined, run = stepOf(task)) =>
  Array.from({ length: STEPS }, (_, step) => {
    const inputs = inputsAt(task, step, pixelsAt(step));
    const results = tf.tidy(() => run(inputs) as never) as Record<string, Tensor>;
    const numbers = Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.dataSync()[0]!]));
    tf.dispose([inputs, results] as never);
    return numbers;
  });

test.each([
  ['as they are', (task: Task) => task],
  ['mixed', (task: Task) => withMixing(task, CUTMIX, 1, SIZE)],
])('of the student’s very pixels, %s, every number is what it is without', (_, mixed) => {
  const [plain, own] = [mixed(createTask()), withTeacherImages(mixed(createTask()), SIZE)];
  expect(play(own, (step) => bytes(SIZE, step))).toEqual(play(plain, () => undefined));
  expect(numbersOf(own)).toEqual(numbersOf(plain));
  for (const task of [plain, own]) task.dispose();
});

test('change what is learnt, and the student’s images are not theirs', () => {
  const [plain, own] = [createTask(), withTeacherImages(createTask(), LARGE)];
  const [without, larger] = [play(plain, () => undefined), play(own, (step) => bytes(LARGE, step))];
  expect(larger[0]!.similarity_loss).not.toBe(without[0]!.similarity_loss);
  // Of the student alone: its first step sees what it always saw.
  expect(larger[0]!.hard_label_loss).toBe(without[0]!.hard_label_loss);
  for (const task of [plain, own]) task.dispose();
});

test.runIf(backend === 'tensorflow')('mixed, at another size: captured steps equal eager ones', () => {
  const create = () => withTeacherImages(withMixing(createTask(), CUTMIX, 1, SIZE), LARGE);
  const [eager, graph] = [create(), create()];
  const first = inputsAt(graph, 0);
  const { variables, constants } = graph;
  const captured = capture(stepOf(graph), { inputs: first, variables, constants });
  const pixelsAt = (step: number) => bytes(LARGE, 100 + step);
  const expected = play(eager, pixelsAt);
  const actual = play(graph, pixelsAt, (inputs) => captured.run(inputs));
  captured.pull();
  for (const [step, { loss }] of expected.entries())
    expect(Math.abs(actual[step]!.loss! - loss!), `loss of step ${step}`).toBeLessThanOrEqual(1e-5 * loss!);
  expect(relativeDifference(numbersOf(graph), numbersOf(eager))).toBeLessThanOrEqual(1e-4);
  captured.dispose();
  tf.dispose(first);
  for (const task of [eager, graph]) task.dispose();
});

test('a box of CutMix covers the same part of images of any size', () => {
  const box = cutBox(SIZE, 0.5, 6, 9);
  const covered = (side: number) =>
    tf.tidy(() => {
      const images = tf.tensor4d(Array.from({ length: 2 }, (_, i) => Array(side ** 2 * 3).fill(i)).flat(), [
        2,
        side,
        side,
        3,
      ]);
      const inputs = uploadMix({ order: Int32Array.of(1, 0), share: 0.5, box });
      return mixImages(images, 'cutmix', inputs, SIZE).slice(0, 1).mean([0, 3]).arraySync() as never;
    }) as unknown as number[][];
  const [small, double] = [covered(SIZE), covered(2 * SIZE)];
  expect(small.flat().reduce((a, b) => a + b)).toBe((box[1] - box[0]) * (box[3] - box[2]));
  expect(double).toEqual(double.map((row, y) => row.map((_, x) => small[y >> 1]![x >> 1]!)));
});

test('take memory of their own', async () => {
  const task = withTeacherImages(createTask(), LARGE);
  const [alone, both] = [await estimateStepBytes(task, SIZE, 8), await estimateStepBytes(task, SIZE, 8, [SIZE, LARGE])];
  // The bytes of two loaded batches.
  expect(both(8) - alone(8)).toBe(2 * 8 * LARGE ** 2 * 3);
  const [small, large] = [withTeacherImages(createTask(), SIZE), withTeacherImages(createTask(), 4 * SIZE)];
  const needs = async (one: Task) => (await estimateStepBytes(one, SIZE, 8))(8);
  expect(await needs(large)).toBeGreaterThan((await needs(small)) + 8 * (4 * SIZE) ** 2 * 3);
  for (const one of [task, small, large]) one.dispose();
});
