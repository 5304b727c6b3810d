/** Accuracy and hard-label loss of a network over the validation split. */
import type { Batch } from '../data/loader.ts';
import { scoreLogits } from './score-logits.ts';

export interface Validation {
  /** Percent. */
  top1: number;
  /** Percent; 100 where there are at most five classes. */
  top5: number;
  /** Mean cross-entropy with the hard labels. */
  loss: number;
}

/** `predict` gives a batch's logits [size, classes]. Null when `shouldStop` said so before the end. `onProgress` hears after every batch how many images are done. */
export async function validate(
  predict: (batch: Batch) => Promise<Float32Array>,
  batches: AsyncIterable<Batch>,
  shouldStop: () => boolean,
  onProgress: (done: number) => void,
): Promise<Validation | null> {
  let count = 0;
  const sums = { top1: 0, top5: 0, loss: 0 };
  for await (const batch of batches) {
    if (shouldStop()) return null;
    const { top1, top5, loss } = scoreLogits(await predict(batch), batch.labels);
    count += batch.size;
    sums.top1 += top1;
    sums.top5 += top5;
    sums.loss += loss;
    onProgress(count);
  }
  return { top1: (100 * sums.top1) / count, top5: (100 * sums.top5) / count, loss: sums.loss / count };
}
