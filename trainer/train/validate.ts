/** Accuracy and hard-label loss of a network over the validation split. */
import type { Tensor4D } from '@tensorflow/tfjs';
import type { Batch } from '../data/loader.ts';
import { normalisePixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { FrozenNetwork } from '../models/network.ts';
import { scoreLogits } from './score-logits.ts';

export interface Validation {
  /** Percent. */
  top1: number;
  /** Percent; 100 where there are at most five classes. */
  top5: number;
  /** Mean cross-entropy with the hard labels. */
  loss: number;
}

/** Null when `shouldStop` said so before the end. `onProgress` hears after every batch how many images are done. */
export async function validate(
  network: FrozenNetwork,
  batches: AsyncIterable<Batch>,
  shouldStop: () => boolean,
  onProgress: (done: number) => void,
): Promise<Validation | null> {
  let count = 0;
  const sums = { top1: 0, top5: 0, loss: 0 };
  for await (const batch of batches) {
    if (shouldStop()) return null;
    const logits = tf.tidy(() => network.forward(normalisePixels(pixelsTensor(batch))));
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    const { top1, top5, loss } = scoreLogits(values, batch.labels);
    count += batch.size;
    sums.top1 += top1;
    sums.top5 += top5;
    sums.loss += loss;
    onProgress(count);
  }
  return { top1: (100 * sums.top1) / count, top5: (100 * sums.top5) / count, loss: sums.loss / count };
}

/** The batch's bytes [size, S, S, 3], for `normalisePixels`; the caller's. */
export function pixelsTensor({ pixels, size }: Batch): Tensor4D {
  const side = Math.sqrt(pixels.length / size / 3);
  return uploadPixels(pixels, [size, side, side, 3]);
}
