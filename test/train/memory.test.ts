import type { Scalar, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { explainOutOfMemory, measureStep, requireFit } from '../../trainer/train/memory.ts';
import { RunFailure } from '../../trainer/train/run-failure.ts';
import type { Task } from '../../trainer/train/task.ts';
import { createLinearNetwork } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const MB = 1e6;
const SHAPE = { batchSize: 256, inputSize: 16 };
const IMAGE_BYTES = 16 * 16 * 3 * 4;
/** TensorFlow's own words, for which it takes ten seconds. */
const OOM =
  'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[256,16,16,3] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc';

/** Its steps take twice `bytesPerImage` for every image, and more memory than there is above `limit` images. */
function hungryTask(bytesPerImage: number, limit = Number.POSITIVE_INFINITY): Task {
  const task = createClassificationTask(
    createLinearNetwork([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]),
    { momentum: 0.9, weightDecay: 0.1 },
  );
  return {
    ...task,
    step: (images: Tensor4D, labels, learningRate: Scalar) => {
      if (images.shape[0] > limit) throw new Error(OOM);
      tf.tidy(() => tf.zeros([images.shape[0], bytesPerImage / 4]).add(1));
      return task.step(images, labels, tf.scalar(learningRate.dataSync()[0]! + 1));
    },
  };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}
async function withTask(task: Task, use: (task: Task) => Promise<void>) {
  try {
    await use(task);
  } finally {
    task.dispose();
  }
}

describe('a step that is measured', () => {
  test('takes more memory for every image, and leaves weights and velocities as they were', async () => {
    await withTask(hungryTask(MB), async (task) => {
      const read = () => Promise.all(task.variables.map(async (variable) => [...(await variable.data())]));
      tf.tidy(() => void task.step(tf.ones([2, 16, 16, 3]), tf.tensor1d([0, 1], 'int32'), tf.scalar(0)));
      const before = await read();
      const [two, eight] = [await measureStep(task, SHAPE, 2), await measureStep(task, SHAPE, 8)];
      expect(await read()).toEqual(before);
      // Two tensors of a megabyte for each of the six further images, and the images: as numbers here, twice as bytes in the loader.
      expect((eight - two) / 6).toBeGreaterThanOrEqual(2 * MB + 1.5 * IMAGE_BYTES);
      expect((eight - two) / 6).toBeLessThan(2.1 * MB);
    });
  });
});

describe('before the first step on a CPU', () => {
  test('a batch that fits is let pass, and where nobody knows what is free, every one', async () => {
    await withTask(hungryTask(MB), async (task) => {
      expect(await failureOf(requireFit(task, SHAPE, 600 * MB))).toBeNull();
      expect(await failureOf(requireFit(task, SHAPE, 20_000 * MB))).toBeNull();
      expect(await failureOf(requireFit(task, SHAPE, null))).toBeNull();
    });
  });

  test('one that does not is refused with what it needs, what there is, and the size that would fit', async () => {
    await withTask(hungryTask(MB), async (task) => {
      const failure = await failureOf(requireFit(task, SHAPE, 200 * MB));
      expect(failure).toMatchObject({
        failureCode: 'out_of_memory',
        message:
          'A batch of 256 images at 16 pixels does not fit into the 0.2 GB that are free on this host: it needs about 0.5 GB. A batch of 64 would fit.',
      });
    });
  });

  test('without room for any batch the advice is another one', async () => {
    await withTask(hungryTask(MB), async (task) => {
      const failure = await failureOf(requireFit(task, SHAPE, 1000));
      expect((failure as Error).message).toMatch(/Not even 2 would fit: use a smaller input size or network\.$/);
    });
  });
});

describe('when TensorFlow has run out of memory', () => {
  const outOfMemory = (task: Task) =>
    failureOf(
      (async () => {
        tf.tidy(() => void task.step(tf.zeros([256, 16, 16, 3]), tf.zeros([256], 'int32'), tf.scalar(0)));
      })(),
    );

  test('the largest half, quarter, … that runs is named; the weights stay', async () => {
    await withTask(hungryTask(4, 40), async (task) => {
      const read = () => Promise.all(task.variables.map(async (variable) => [...(await variable.data())]));
      const before = await read();
      const failure = explainOutOfMemory(await outOfMemory(task), task, SHAPE, 'the 8.0 GB of this GPU');
      expect(failure).toBeInstanceOf(RunFailure);
      expect(failure).toMatchObject({
        failureCode: 'out_of_memory',
        message:
          'A batch of 256 images at 16 pixels does not fit into the 8.0 GB of this GPU. A batch of 32 would fit.',
      });
      expect(await read()).toEqual(before);
    });
  });

  test('and no batch runs, that is said', async () => {
    await withTask(hungryTask(4, 0), async (task) => {
      const failure = explainOutOfMemory(await outOfMemory(task), task, SHAPE, 'the memory');
      expect((failure as Error).message).toMatch(/Not even 2 would fit/);
    });
  });

  test('only then: other errors stay what they are', async () => {
    await withTask(hungryTask(4), async (task) => {
      const error = new Error('anything else');
      expect(explainOutOfMemory(error, task, SHAPE, 'the memory')).toBe(error);
    });
  });
});
