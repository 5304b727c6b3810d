/** A task whose images are mixed within each batch, before teachers and student see them, each at their size. */
import type { MixingConfig } from '@mealtable/protocol/training-recipe';
import type { Tensor4D } from '@tensorflow/tfjs';
import { mixImages, uploadMix } from '../data/mix-images.ts';
import { drawMix } from '../data/mixing.ts';
import { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import type { Task } from './task.ts';

/** Takes over `task`. The draws follow from `seed` and the step. */
export function withMixing(task: Task, mixing: MixingConfig, seed: number, inputSize: number): Task {
  const rng = Rng.seeded(seed);
  return {
    ...task,
    inputsAt: (step, batchSize) => ({
      ...task.inputsAt?.(step, batchSize),
      ...uploadMix(drawMix(rng, step, mixing, batchSize, inputSize)),
    }),
    step: (images, labels, learningRate, more) =>
      tf.tidy(() => {
        const { teacher_images: own } = more;
        const mixed = own && { teacher_images: mixImages(own as Tensor4D, mixing.kind, more, inputSize) };
        return task.step(mixImages(images, mixing.kind, more), labels, learningRate, { ...more, ...mixed }) as never;
      }),
  };
}
