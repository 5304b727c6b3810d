/** Mixing on the device: a step's draw as its inputs, and what they make of images and of numbers about hard labels. */
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import type { Tensors } from '../engine/capture.ts';
import { takeRows } from '../engine/take-rows.ts';
import { tf } from '../engine/tf.ts';
import type { Mix } from './mixing.ts';

/** Inputs of a step; the caller's. */
export function uploadMix({ order, share, box }: Mix): Tensors {
  return {
    mix_order: tf.tensor1d(order, 'int32'),
    mix_share: tf.scalar(share),
    mix_box: tf.tensor1d(box),
  };
}

/**
 * Images [N, S, S, 3] with the box of another in each (CutMix) or blended with another (Mixup). Normalised or not: alike.
 * @param side of the images for which the box was drawn; in others those pixels belong to it whose centres lie in it
 */
export function mixImages(
  images: Tensor4D,
  kind: 'cutmix' | 'mixup',
  inputs: Tensors,
  side: number = images.shape[1],
): Tensor4D {
  return tf.tidy(() => {
    const others = takeRows(images, inputs.mix_order as Tensor1D);
    if (kind === 'mixup') {
      const share = inputs.mix_share as Scalar;
      return images.mul(share).add(others.mul(tf.sub(1, share))) as Tensor4D;
    }
    const [top, bottom, left, right] = tf.unstack(inputs.mix_box as Tensor1D) as [Tensor, Tensor, Tensor, Tensor];
    const [, height, width] = images.shape;
    const rows = between(centres(height, side), top, bottom).reshape([1, height, 1, 1]);
    const columns = between(centres(width, side), left, right).reshape([1, 1, width, 1]);
    const inside = rows.mul(columns);
    return images.mul(tf.sub(1, inside)).add(others.mul(inside)) as Tensor4D;
  });
}

/** Where the centres of a line's `count` pixels lie in a line of `side`. */
const centres = (count: number, side: number): Tensor =>
  tf
    .range(0, count)
    .add(0.5)
    .mul(side / count);

/** 1 where `begin` <= place < `end`, else 0. */
function between(places: Tensor, begin: Tensor, end: Tensor): Tensor {
  return places.greaterEqual(begin).logicalAnd(places.less(end)).cast('float32');
}

/**
 * A number about hard labels (a loss, an accuracy) for a step's images: of both images' labels, in the shares that they have of
 * the image. Without a mix among the inputs it is the number for the labels as they are.
 */
export function overMixedLabels(labels: Tensor1D, inputs: Tensors, measure: (labels: Tensor1D) => Scalar): Scalar {
  const { mix_order: order, mix_share: share } = inputs;
  if (order === undefined || share === undefined) return measure(labels);
  return tf.tidy(() => {
    const others = takeRows(labels, order as Tensor1D);
    return measure(labels)
      .mul(share)
      .add(measure(others).mul(tf.sub(1, share))) as Scalar;
  });
}
