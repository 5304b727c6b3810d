/** A distillation task whose teachers see the student's crops at a size of their own. */
import { type TrainingConfig, teacherSize } from '@mealtable/protocol/run-config';
import type { Tensor4D } from '@tensorflow/tfjs';
import type { Tensors } from '../engine/capture.ts';
import { normalisePixels, type PackedPixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { Task } from './task.ts';

const CHANNELS = 3;

/** What teachers see: images of their own among a step's inputs [N, T, T, 3], else the student's. */
export const teacherImages = (images: Tensor4D, more: Tensors): Tensor4D =>
  (more.teacher_images as Tensor4D | undefined) ?? images;

/** The student's and the teachers' input size where they differ and steps ask the teachers. */
export function bothSizesOf(config: TrainingConfig): [number, number] | undefined {
  if (config.task !== 'distillation' || config.softLabels?.mode === 'cached') return undefined;
  const size = teacherSize(config);
  return size === config.inputSize ? undefined : [config.inputSize, size];
}

/** Takes over `task`, mixing included: outermost, since it turns the bytes of steps' inputs into images. */
export function withTeacherImages(task: Task, teacherInputSize: number): Task {
  const imageLength = teacherInputSize ** 2 * CHANNELS;
  return {
    ...task,
    inputsAt: (step, batchSize, labels, pixels = new Uint8Array(batchSize * imageLength)) => ({
      ...task.inputsAt?.(step, batchSize, labels),
      teacher_pixels: uploadPixels(pixels, batchSize),
    }),
    step: (images, labels, learningRate, { teacher_pixels: pixels, ...more }) =>
      tf.tidy(() => {
        const own = { teacher_images: normalisePixels(pixels as PackedPixels) };
        return task.step(images, labels, learningRate, { ...more, ...own }) as never;
      }),
  };
}
