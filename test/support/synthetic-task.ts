/** Distillation steps on the synthetic case: linear networks, whose logits are the rows of their weights. */
import { type DistillationMethod, MEAL_V2 } from '@mealtable/protocol/distillation-method';
import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../../trainer/engine/tf.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import type { Task } from '../../trainer/train/task.ts';
import { type StepInputs, stepOf } from './captured-steps.ts';
import { colourImages, createLinearNetwork, createLinearTeacher } from './linear-network.ts';
import { exampleDiscriminator, STUDENT, TEACHERS } from './synthetic-case.ts';

export const OPTIONS = { momentum: 0.9, weightDecay: 0 };
/** Images are unit colours: the logits of image i are row i of the weights. */
export const weights = (rows: readonly number[][]) => [...rows, Array<number>(8).fill(0)];

export interface Choices {
  method?: Partial<DistillationMethod>;
  teachers?: readonly number[][][];
  teacherWeights?: number[];
  hasDiscriminator?: boolean;
  seed?: number;
}

export function createTask({ method, teachers = TEACHERS, hasDiscriminator = false, ...choices }: Choices = {}): Task {
  const whole = { ...MEAL_V2, ...method };
  return createDistillationTask(
    {
      student: createLinearNetwork(weights(STUDENT)),
      teachers: teachers.map((rows) => createLinearTeacher(weights(rows))),
      discriminator: hasDiscriminator ? exampleDiscriminator(whole.discriminator) : null,
    },
    OPTIONS,
    { ...choices, method: whole },
  );
}
export const withDiscriminator = (discriminator: Partial<DistillationMethod['discriminator']>): Choices => ({
  method: { discriminator: { ...MEAL_V2.discriminator, ...discriminator } },
  hasDiscriminator: true,
});

/** At a rate of 1 the first step moves weights by their gradient. */
export function inputsOf(task: Task, step = 0, rate = 1, labels = [0, 7]): StepInputs {
  const more = task.inputsAt?.(step, 2) ?? {};
  const images = colourImages([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  return { images, labels: tf.tensor1d(labels, 'int32'), rate: tf.scalar(rate), ...more };
}

export const readAll = (tensors: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync()[0]!]));

export function runStep(task: Task, step = 0, rate = 1, labels?: number[]): Record<string, number> {
  const inputs = inputsOf(task, step, rate, labels);
  const results = tf.tidy(() => stepOf(task)(inputs) as never) as Record<string, Tensor>;
  const numbers = readAll(results);
  tf.dispose([inputs, results] as never);
  return numbers;
}
