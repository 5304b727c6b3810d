import type { Scalar, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { explainOutOfMemory, requireFit } from '../../trainer/train/memory.ts';
import { RunFailure } from '../../trainer/train/run-failure.ts';
import { estimateStepBytes, measureStepBytes } from '../../trainer/train/step-memory.ts';
import type { Task } from '../../trainer/train/task.ts';
import { createLinearNetwork } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const MB = 1e6;
const SHAPE = { batchSize: 256, inputSize: 16 };
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
      const { loss, parts } = task.step(images, labels, learningRate.add(1), {});
      const wide = labels
        .cast('float32')
        .reshape([-1, 1])
        .tile([1, bytesPerImage / 4]);
      return { loss: loss.add(wide.add(learningRate).sum().mul(0)) as Scalar, parts };
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

const readAll = (task: Task) => Promise.all(task.variables.map(async (variable) => [...(await variable.data())]));

describe('what a step takes', () => {
  test.each([
    ['by its shapes', async (task: Task) => estimateStepBytes(task, 16, 64)],
    ['by running small ones', async (task: Task) => lineThrough(task)],
  ])('%s: grows with every image; weights and velocities stay as they were', async (_how, estimate) => {
    await withTask(hungryTask(MB), async (task) => {
      tf.tidy(() => void task.step(tf.ones([2, 16, 16, 3]), tf.tensor1d([0, 1], 'int32'), tf.scalar(0), {}));
      const before = await readAll(task);
      const bytes = await estimate(task);
      expect(await readAll(task)).toEqual(before);
      const perImage = (bytes(64) - bytes(16)) / 48;
      // Two tensors of a megabyte, the image itself, and what is set aside for TensorFlow's own use.
      expect(perImage).toBeGreaterThanOrEqual(2 * MB);
      expect(perImage).toBeLessThan(2.3 * MB);
      expect(bytes(2)).toBeLessThan(6 * MB);
    });
  });

  async function lineThrough(task: Task): Promise<(size: number) => number> {
    const [two, four] = [await measureStepBytes(task, 16, 2), await measureStepBytes(task, 16, 4)];
    return (size) => two + ((size - 2) * (four - two)) / 2;
  }
});

describe('before the first step on a CPU', () => {
  test('a batch that fits is let pass, and where nobody knows what is free, every one', async () => {
    await withTask(hungryTask(MB), async (task) => {
      expect(await failureOf(requireFit(task, SHAPE, 600 * MB))).toBeNull();
      expect(await failureOf(requireFit(task, SHAPE, null))).toBeNull();
    });
  });

  test('one that does not is refused with what it needs, what there is, and the size that would fit', async () => {
    await withTask(hungryTask(MB), async (task) => {
      const failure = await failureOf(requireFit(task, SHAPE, 200 * MB));
      expect(failure).toMatchObject({
        failureCode: 'out_of_memory',
        message:
          'A batch of 256 images at 16 pixels does not fit into the 0.2 GB that are free on this host: it needs about 0.6 GB. A batch of 64 would fit.',
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
        tf.tidy(() => void task.step(tf.zeros([256, 16, 16, 3]), tf.zeros([256], 'int32'), tf.scalar(0), {}));
      })(),
    );

  test('the largest half, quarter, … that runs is named; the weights stay', async () => {
    await withTask(hungryTask(4, 40), async (task) => {
      const before = await readAll(task);
      const failure = explainOutOfMemory(await outOfMemory(task), task, SHAPE, 'the 8.0 GB of this GPU');
      expect(failure).toBeInstanceOf(RunFailure);
      expect(failure).toMatchObject({
        failureCode: 'out_of_memory',
        message:
          'A batch of 256 images at 16 pixels does not fit into the 8.0 GB of this GPU. A batch of 32 would fit.',
      });
      expect(await readAll(task)).toEqual(before);
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
