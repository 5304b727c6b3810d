/** Whole distillation steps with each of the method's choices, on networks whose arithmetic is known. */
import { MEAL_V2, methodOf } from '@mealtable/protocol/distillation-method';
import { describe, expect, test } from 'vitest';
import { createDiscriminator } from '../../trainer/distill/discriminator.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import type { Task } from '../../trainer/train/task.ts';
import { on } from '../support/backends.ts';
import { captureTask } from '../support/captured-steps.ts';
import { createLinearNetwork, createLinearTeacher } from '../support/linear-network.ts';
import { exampleDiscriminator, STUDENT, TEACHERS } from '../support/synthetic-case.ts';
import {
  type Choices,
  createTask,
  inputsOf,
  OPTIONS,
  readAll,
  runStep,
  weights,
  withDiscriminator,
} from '../support/synthetic-task.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();
const studentOf = (task: Task) => [...task.network.parameters.get('weight')!.dataSync()];
/** How far one step moves the student, and the discriminator. */
function moveOf(choices: Choices): { numbers: Record<string, number>; student: number[]; discriminator: number[] } {
  const task = createTask(choices);
  const ofDiscriminator = () =>
    task.variables
      .filter(({ rank }) => rank === 2)
      .slice(1, 4)
      .flatMap((v) => [...v.dataSync()]);
  const before = [studentOf(task), ofDiscriminator()] as const;
  const numbers = runStep(task);
  const after = [studentOf(task), ofDiscriminator()] as const;
  task.dispose();
  const [student, discriminator] = [0, 1].map((k) => before[k]!.map((w, i) => w - after[k]![i]!)) as [
    number[],
    number[],
  ];
  return { numbers, student, discriminator };
}
const sum = (a: readonly number[], b: readonly number[], factor = 1) => a.map((x, i) => x + factor * b[i]!);

test('what a config leaves out is MEAL V2', () => {
  expect(methodOf({})).toEqual(MEAL_V2);
  const { discriminator, ...others } = methodOf({ temperature: 4, discriminatorOptions: { finalRelu: false } });
  expect(others).toEqual({ ...MEAL_V2, temperature: 4, discriminator: undefined });
  expect(discriminator).toEqual({ ...MEAL_V2.discriminator, finalRelu: false });
});

describe('the discriminator', () => {
  const off = moveOf({});
  const cooperative = moveOf({ hasDiscriminator: true });

  test('detached leaves the student to the similarity loss, and learns itself', () => {
    const detached = moveOf(withDiscriminator({ gradient: 'detached' }));
    expect(detached.student).toEqual(off.student);
    expect(detached.discriminator).toEqual(cooperative.discriminator);
    expect(detached.numbers).toEqual(cooperative.numbers);
    expect(Math.max(...detached.discriminator.map(Math.abs))).toBeGreaterThan(0.01);
  });

  test('reversed pushes the student the other way by as much', () => {
    const reversed = moveOf(withDiscriminator({ gradient: 'reversal' }));
    const push = sum(cooperative.student, off.student, -1);
    expect(Math.max(...push.map(Math.abs))).toBeGreaterThan(0.01);
    expectClose(
      sum(reversed.student, off.student, -1),
      push.map((x) => -x),
      1e-6,
    );
    expect(reversed.discriminator).toEqual(cooperative.discriminator);
  });

  test('learns at its own multiple of the rate, the student at the rate itself', () => {
    const slow = moveOf(withDiscriminator({ learningRateFactor: 0.01 }));
    expect(slow.student).toEqual(cooperative.student);
    expectClose(
      slow.discriminator,
      cooperative.discriminator.map((x) => x / 100),
      1e-7,
    );
  });

  test('sees softmaxes and soft label where it is asked to, at the method’s temperature', () => {
    const choices = withDiscriminator({ inputs: 'probabilities' });
    const { numbers } = moveOf({ ...choices, method: { ...choices.method, temperature: 2 } });
    const discriminator = exampleDiscriminator();
    const expected = tf.tidy(() => {
      const soft = (logits: readonly number[][]) => tf.softmax(tf.tensor2d([...logits]).div(2));
      const q = soft(TEACHERS[0]).add(soft(TEACHERS[1])).div(2);
      const outputs = discriminator.forward(tf.concat([soft(STUDENT), q], 0) as never).arraySync();
      const side = (row: number[], right: number) => row.map((z, k) => Math.log(1 + Math.exp(k === right ? -z : z)));
      return outputs.flatMap((row, i) => side(row, i < 2 ? 0 : 1)).reduce((a, b) => a + b) / 8;
    }) as never as number;
    discriminator.dispose();
    expect(numbers.discriminator_loss).toBeCloseTo(expected, 6);
  });
});

test('hard labels share the loss by their weight, smoothed; with all of it they are classification', () => {
  const [soft, hard] = [moveOf({}), createClassificationTask(createLinearNetwork(weights(STUDENT)), OPTIONS, 0.1)];
  const alone = runStep(hard);
  const student = sum(weights(STUDENT).flat(), studentOf(hard), -1);
  hard.dispose();
  for (const hardLabelWeight of [0.3, 1]) {
    const { numbers, student: moved } = moveOf({ method: { hardLabelWeight, labelSmoothing: 0.1 } });
    expect(numbers.hard_label_loss).toBeCloseTo(alone.hard_label_loss!, 6);
    expect(numbers.similarity_loss).toBe(soft.numbers.similarity_loss);
    const expected = (1 - hardLabelWeight) * soft.numbers.loss! + hardLabelWeight * alone.loss!;
    expect(numbers.loss).toBeCloseTo(expected, 5);
    expectClose(
      moved,
      sum(
        soft.student.map((x) => (1 - hardLabelWeight) * x),
        student,
        hardLabelWeight,
      ),
      1e-6,
    );
  }
  // Without weight they are told of all the same, unsmoothed as they are.
  expect(soft.numbers.loss).toBe(soft.numbers.similarity_loss);
  expect(soft.numbers.hard_label_loss).not.toBe(alone.hard_label_loss);
});

test('the plain backend computes the same, every choice at once', async () => {
  const discriminator = {
    gradient: 'reversal',
    learningRateFactor: 0.1,
    finalRelu: false,
    inputs: 'probabilities',
  } as const;
  const method = {
    ensemble: 'mean-logit',
    temperature: 2,
    hardLabelWeight: 0.3,
    labelSmoothing: 0.1,
    discriminator,
  } as const;
  const play = () => {
    const task = createTask({ method, teacherWeights: [3, 1], hasDiscriminator: true });
    const numbers = [0, 1, 2].flatMap((step) => Object.values(runStep(task, step, 0.5)));
    const moved = task.variables.flatMap((variable) => [...variable.dataSync()]);
    task.dispose();
    return [...numbers, ...moved];
  };
  expectClose(await on('cpu', play), play(), 1e-5);
});

test('what a step tells: accuracy of student and ensemble, and how often they agree', () => {
  const best = (row: number[]) => row.indexOf(Math.max(...row));
  const softmax = (row: number[]) => row.map((x) => Math.exp(x) / row.reduce((total, y) => total + Math.exp(y), 0));
  const said = [0, 1].map((i) => best(sum(softmax(TEACHERS[0][i]!), softmax(TEACHERS[1][i]!))));
  const guessed = STUDENT.map(best);
  for (const labels of [guessed, said, [said[0]!, guessed[1]!], [0, 0]]) {
    const task = createTask();
    const numbers = runStep(task, 0, 1, labels);
    task.dispose();
    const share = (a: number[], b: number[]) => 50 * a.filter((x, i) => x === b[i]).length;
    expect(numbers.top1).toBe(share(guessed, labels));
    expect(numbers.ensemble_top1).toBe(share(said, labels));
    expect(numbers.teacher_agreement).toBe(share(guessed, said));
    expect('discriminator_loss' in numbers || 'discriminator_accuracy' in numbers).toBe(false);
  }
});

test.each([
  { finalRelu: true, limit: Math.LN2 / 2 },
  { finalRelu: false, limit: 0 },
])(
  'with its final ReLU $finalRelu the discriminator’s loss falls to $limit while the student learns',
  ({ finalRelu, limit }) => {
    const rng = Rng.seeded(4);
    // A discriminator as narrow as this loses outputs to their ReLU with some seeds; with this one it keeps both.
    const drawRows = () => Array.from({ length: 3 }, () => Array.from({ length: 40 }, () => rng.normal()));
    const task = createDistillationTask(
      {
        student: createLinearNetwork(drawRows()),
        teachers: [createLinearTeacher(drawRows()), createLinearTeacher(drawRows())],
        discriminator: createDiscriminator(40, Rng.seeded(1), { finalRelu }),
      },
      OPTIONS,
    );
    const inputs = inputsOf(task, 0, 0.05);
    const captured = captureTask(task, inputs);
    const losses = Array.from({ length: 600 }, () => {
      const results = captured.run(inputs);
      const numbers = readAll(results);
      tf.dispose(results);
      return numbers;
    });
    captured.dispose();
    tf.dispose(inputs);
    task.dispose();
    const [first, last] = [losses[0]!, losses.at(-1)!];
    expect(first.discriminator_loss! - limit).toBeGreaterThan(0.2);
    expect(last.discriminator_loss! - limit).toBeGreaterThan(0);
    expect(last.discriminator_loss! - limit).toBeLessThan(0.01);
    expect(last.discriminator_accuracy).toBe(100);
    expect(last.similarity_loss).toBeLessThan(0.95 * first.similarity_loss!);
    expect(last.teacher_agreement).toBe(100);
  },
);
