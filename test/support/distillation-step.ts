/**
 * Two steps of MEAL V2 on a small network, on the backend that the environment asks for. Run as a program it prints its result
 * as JSON, so that a test can compare processes.
 */
import { pathToFileURL } from 'node:url';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs';
import { createDiscriminator, discriminatorLoss } from '../../trainer/distill/discriminator.ts';
import { softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { meanLogits, softLabels } from '../../trainer/distill/soft-labels.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { Sgd } from '../../trainer/optim/sgd.ts';
import { hashedImages } from './hashed-weights.ts';

const BATCH = 4;
const SIZE = 16;
const CLASSES = 5;

export interface StepResult {
  backend: string;
  announce: string | null;
  /** Similarity and discriminator loss of both steps. */
  losses: number[];
  /** Norm of every weight and statistic after them. */
  norms: Record<string, number>;
  /** Tensors left after everything was disposed of. */
  leaked: number;
}

export async function runDistillationSteps(): Promise<StepResult> {
  const { backend, announce } = await loadRuntime();
  const before = tf.memory().numTensors;
  const rng = Rng.seeded(1);
  const teacher = createNetwork('resnet18_w8', CLASSES, rng.stream('teacher'));
  const frozen = teacher.freeze();
  teacher.dispose();
  const student = createNetwork('resnet18_w8', CLASSES, rng.stream('student'));
  const discriminator = createDiscriminator(CLASSES, rng.stream('discriminator'));
  const parameters = new Map([...student.parameters, ...[...discriminator.parameters].map(prefixed)]);
  const sgd = new Sgd(parameters, { momentum: 0.9, weightDecay: 1e-4 });
  const images = tf.tensor4d(hashedImages(BATCH, SIZE), [BATCH, SIZE, SIZE, 3]);
  const losses: number[] = [];
  for (let step = 0; step < 2; step++) {
    tf.tidy(() => {
      const teachers = [frozen.forward(images), frozen.forward(tf.reverse(images, 2) as Tensor4D)];
      const [q, mean] = [softLabels(teachers), meanLogits(teachers)];
      const { values, gradients } = computeGradients(parameters, () => {
        const logits = student.forward(images, true);
        const similarity = softCrossEntropy(logits, q);
        const discrimination = discriminatorLoss(discriminator, logits, mean);
        return { loss: similarity.add(discrimination) as Scalar, similarity, discrimination };
      });
      sgd.step(gradients, tf.scalar(0.05));
      losses.push(values.similarity.dataSync()[0]!, values.discrimination.dataSync()[0]!);
    });
  }
  const norms: Record<string, number> = {};
  tf.tidy(() => {
    for (const [name, variable] of [...parameters, ...student.buffers]) norms[name] = variable.norm().dataSync()[0]!;
  });
  for (const owner of [images, sgd, discriminator, student, frozen]) owner.dispose();
  return { backend, announce, losses, norms, leaked: tf.memory().numTensors - before };
}

function prefixed<T>([name, variable]: [string, T]): [string, T] {
  return [`discriminator.${name}`, variable];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(JSON.stringify(await runDistillationSteps()));
}
