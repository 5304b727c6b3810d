/** Distillation runs whose soft labels come out of a cache that they share. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { DistillationConfig, TrainingConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { Labeller } from '../../trainer/train/labeller.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { combine } from '../../trainer/train/stored-labels.ts';
import { on } from '../support/backends.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { createLinearTeacher } from '../support/linear-network.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import {
  CLASSIFICATION,
  checkpointPath,
  checkpointsOf,
  type JobParts,
  logOf,
  makeJob,
  metricsOf,
  resumeAfter,
  runId,
} from '../support/trainer-process.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

const CLASSES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** 28 images, 7 steps of 4 an epoch: every image in every epoch. */
const STEPS_PER_EPOCH = 7;
const EPOCHS = 2;
let programs: BundledPrograms;
let root: string;
let dataset: string;
const teacherPaths: NonNullable<JobParts['teacherPaths']> = [];
let attempts = 0;

interface Attempt extends JobParts {
  labels: string;
  stopAfter?: number;
  freeBytes?: () => number | null;
}

async function run(
  config: TrainingConfig,
  { labels, stopAfter = Number.POSITIVE_INFINITY, freeBytes, ...more }: Attempt,
) {
  const dir = join(root, `attempt-${++attempts}`);
  mkdirSync(dir);
  const writer = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
  let step = 0;
  try {
    const outcome = await runAttempt({
      attemptDir: dir,
      job: makeJob(config, dataset, { teacherPaths, ...more }),
      records: {
        write: (body) => {
          if (body.kind === 'metrics') step = body.step;
          return writer.write(body);
        },
        log: (...args) => writer.log(...args),
      },
      imageWorkerUrl: programs.imageWorkerUrl,
      shouldStop: () => step >= stopAfter,
      labelsFolder: join(root, labels),
      freeBytes,
    });
    return { dir, outcome };
  } finally {
    writer.close();
  }
}

const online = (more: Partial<DistillationConfig> = {}): DistillationConfig => ({
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [
    { kind: 'run', runId: runId(7) },
    { kind: 'run', runId: runId(8), weight: 2 },
  ],
  discriminator: true,
  epochs: EPOCHS,
  ...more,
});
const CACHED = { mode: 'cached', viewsPerImage: EPOCHS, augmentationSeed: 1, keep: 'full' } as const;
const cached = (more: Partial<DistillationConfig> = {}) => online({ softLabels: CACHED, ...more });

/** Whatever does not depend on the clock, the memory or who computed the labels. */
const numbersOf = (dir: string) =>
  metricsOf(dir).map(({ step, values }) => {
    const {
      'train/images_per_s': _1,
      'train/data_wait_ms': _2,
      'train/teacher_ms': _3,
      'train/student_ms': _4,
      'memory/peak_mb': _5,
      'labels/hit_rate': _6,
      ...rest
    } = values;
    return { step, ...rest };
  });
const seriesOf = (dir: string, name: string) =>
  metricsOf(dir).flatMap(({ values }) => (name in values ? [Number(values[name])] : []));
const hitRates = (dir: string) => seriesOf(dir, 'labels/hit_rate');
const every = (rate: number) => Array<number>(EPOCHS * STEPS_PER_EPOCH).fill(rate);

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'cached-labels-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: CLASSES, train: 4, val: 1, size: 12 });
  for (const seed of [7, 8]) {
    const { dir } = await run({ ...CLASSIFICATION, epochs: 1, seed }, { labels: 'none' });
    const path = checkpointPath(dir, checkpointsOf(dir)[0]!, CHECKPOINT_FILES.model);
    teacherPaths.push({ runId: runId(seed), network: 'resnet18_w8', classCount: CLASSES.length, path });
  }
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

describe('a run that reads its soft labels', () => {
  let first: string;
  beforeAll(async () => {
    first = (await run(cached(), { labels: 'shared' })).dir;
  });

  test('has the very numbers of the run that computed them, and asks no teacher', async () => {
    expect(hitRates(first)).toEqual(every(0));
    expect(Math.min(...seriesOf(first, 'train/teacher_ms'))).toBeGreaterThan(0);
    const { dir } = await run(cached(), { labels: 'shared' });
    expect(hitRates(dir)).toEqual(every(100));
    expect(seriesOf(dir, 'train/teacher_ms')).toEqual(every(0));
    expect(numbersOf(dir)).toEqual(numbersOf(first));
    expect(logOf(dir).filter((line) => line.includes('has 112 of the 112 labels'))).toHaveLength(1);
    // By the captured graph: one that fell back would say so.
    expect(logOf(dir).filter((line) => line.includes('op by op'))).toEqual([]);
  });

  test('of another seed sees the same views in another order', async () => {
    const { dir } = await run(cached({ seed: 5 }), { labels: 'shared' });
    expect(hitRates(dir)).toEqual(every(100));
    expect(numbersOf(dir)).not.toEqual(numbersOf(first));
  });

  test('shares them with runs of one of the teachers, of other weights, and without discriminator where logits are kept', async () => {
    const one = await run(cached({ teachers: [{ kind: 'run', runId: runId(8) }] }), { labels: 'shared' });
    const even = await run(cached({ teachers: [7, 8].map((n) => ({ kind: 'run', runId: runId(n) })) }), {
      labels: 'shared',
    });
    const off = cached({ discriminator: false, softLabels: { ...CACHED, logits: true } });
    for (const { dir } of [one, even, await run(off, { labels: 'shared' })]) expect(hitRates(dir)).toEqual(every(100));
  });

  test('shares none with other crops or temperatures', async () => {
    for (const other of [{ softLabels: { ...CACHED, augmentationSeed: 2 } }, { temperature: 2 }]) {
      const { dir } = await run(cached({ epochs: 1, ...other }), { labels: 'shared', stopAfter: 1 });
      expect(hitRates(dir)).toEqual([0]);
    }
  });

  test.each([
    ['full', 'mean-probability', 2e-3],
    ['full', 'mean-logit', 2e-3],
    // Two of seven classes share what is left: the soft label is another by less than that.
    [5, 'mean-probability', 0.05],
  ] as const)('learns what the teachers would have said, kept: %s, %s', async (keep, ensemble, tolerance) => {
    const config = cached({ ensemble, softLabels: { ...CACHED, keep } });
    const { dir } = await run(config, { labels: `close-${keep}-${ensemble}`, stopAfter: 3 });
    // The run's seed is the augmentation seed: the crops are the same.
    const asked = await run(online({ ensemble, softLabels: { mode: 'online' } }), { labels: 'none', stopAfter: 3 });
    for (const name of ['train/similarity_loss', 'train/discriminator_loss', 'train/hard_label_loss'])
      expectClose(seriesOf(dir, name), seriesOf(asked.dir, name), tolerance);
    expect(seriesOf(dir, 'train/similarity_loss')).not.toEqual(seriesOf(asked.dir, 'train/similarity_loss'));
  });

  test('goes on from checkpoints to the same numbers, bit for bit', async () => {
    const expected = numbersOf(first);
    let more: JobParts = {};
    const dirs: string[] = [];
    for (const stopAfter of [1, STEPS_PER_EPOCH + 3, Number.POSITIVE_INFINITY]) {
      const { dir } = await run(cached(), { labels: 'stopped', stopAfter, ...more });
      const numbers = numbersOf(dir);
      expect(numbers).toEqual(expected.splice(0, numbers.length));
      dirs.push(dir);
      more = resumeAfter(dirs);
    }
    expect(expected).toEqual([]);
  });

  test('computes an altered label anew, once', async () => {
    await run(cached(), { labels: 'altered' });
    const key = join(root, 'altered', readdirSync(join(root, 'altered'))[0]!);
    const path = join(key, readdirSync(key)[0]!);
    const bytes = readFileSync(path);
    // In the last record of the last block.
    bytes[bytes.length - 12]! ^= 1;
    writeFileSync(path, bytes);
    const { dir } = await run(cached(), { labels: 'altered' });
    // One of a step's 2 x 4 labels.
    expect(hitRates(dir).filter((rate) => rate !== 100)).toEqual([87.5]);
    expect(numbersOf(dir)).toEqual(numbersOf(first));
    expect(hitRates((await run(cached(), { labels: 'altered' })).dir)).toEqual(every(100));
  });

  test('fills the cache together with another that runs at the same time', async () => {
    const both = await Promise.all([run(cached(), { labels: 'both' }), run(cached(), { labels: 'both' })]);
    for (const { dir } of both) expect(numbersOf(dir)).toEqual(numbersOf(first));
    expect(hitRates((await run(cached(), { labels: 'both' })).dir)).toEqual(every(100));
  });

  test('ends before its teachers take more memory than there is, and not when it needs none of them', async () => {
    // Enough for the student, who is looked at first.
    const littleLeft = () => {
      let calls = 0;
      return () => (calls++ === 0 ? null : 1e6);
    };
    const failed = run(cached(), { labels: 'unfilled', freeBytes: littleLeft() });
    await expect(failed).rejects.toThrow('A batch of 4 images at 16 pixels does not fit');
    const { outcome } = await run(cached(), { labels: 'shared', freeBytes: littleLeft() });
    expect(outcome).toBe('succeeded');
  });

  test('goes on where nothing can be kept, and says so once', async () => {
    // Nobody can make a folder there.
    const { dir, outcome } = await run(cached(), { labels: '../../sys/mealtable' });
    expect(outcome).toBe('succeeded');
    expect(logOf(dir).filter((line) => line.includes('cannot be kept'))).toHaveLength(1);
    expect(numbersOf(dir)).toEqual(numbersOf(first));
  });
});

describe('teachers at a size of their own', () => {
  test('that is the student’s make the very run without', async () => {
    const [said, unsaid] = [
      await run(online({ teacherInputSize: 16 }), { labels: 'none', stopAfter: 2 }),
      await run(online(), { labels: 'none', stopAfter: 2 }),
    ];
    expect(numbersOf(said.dir)).toEqual(numbersOf(unsaid.dir));
  });

  test('label the student’s crops as they do for a student who sees them at that size, whose labels these are', async () => {
    const own = { teacherInputSize: 24, epochs: 1 };
    const small = await run(cached(own), { labels: 'own-size', stopAfter: 2 });
    expect(hitRates(small.dir)).toEqual([0, 0]);
    const large = await run(cached({ inputSize: 24, epochs: 1 }), { labels: 'own-size', stopAfter: 2 });
    expect(hitRates(large.dir)).toEqual([100, 100]);
    const asked = await run(online(own), { labels: 'none', stopAfter: 2 });
    for (const name of ['train/similarity_loss', 'train/discriminator_loss', 'train/hard_label_loss'])
      expectClose(seriesOf(asked.dir, name), seriesOf(small.dir, name), 2e-3);
    expect(seriesOf(asked.dir, 'train/similarity_loss')).not.toEqual(seriesOf(large.dir, 'train/similarity_loss'));
    expect(logOf(asked.dir).filter((line) => line.includes('op by op'))).toEqual([]);
  });
});

describe('labels of images', () => {
  const LOGITS = [
    [3, 1, 0],
    [0, 2, 1],
    [1, 0, 2],
  ];
  const create = (mean: 'probability' | 'logit' = 'probability') =>
    new Labeller([createLinearTeacher(LOGITS), createLinearTeacher(LOGITS.map((row) => row.map((z) => -z)))], {
      batchSize: 3,
      mean,
      temperature: 2,
      weights: [3, 1],
      logits: true,
      precision: 'float32',
      cache: null,
    });
  /** Two images of 2 x 2. */
  const PIXELS = Uint8Array.from({ length: 24 }, (_, i) => i * 10);
  async function labelsOnce(mean?: 'probability' | 'logit') {
    const labeller = create(mean);
    const rows = await labeller.label(PIXELS, 2);
    labeller.dispose();
    return rows;
  }

  test('are the same from the captured graph and, op by op, on the plain backend, for fewer images than a batch too', async () => {
    const graph = await labelsOnce();
    expect([graph.probabilities.length, graph.meanLogits!.length]).toEqual([6, 6]);
    const plain = await on('cpu', () => labelsOnce());
    expectClose(graph.probabilities, plain.probabilities, 1e-6);
    expectClose(graph.meanLogits!, plain.meanLogits!, 1e-5);
  });

  test('of a mean of logits are that mean’s softmax', async () => {
    const { probabilities, meanLogits } = await labelsOnce('logit');
    const expected = tf.tidy(() => tf.softmax(tf.tensor2d(meanLogits!, [2, 3]).div(2)).dataSync());
    expectClose(probabilities, expected, 1e-6);
  });

  test('of several caches are put together by their shares', () => {
    const rows = [
      { probabilities: Float32Array.of(1, 0), meanLogits: Float32Array.of(4, -4) },
      { probabilities: Float32Array.of(0.5, 0.5), meanLogits: Float32Array.of(0, 2) },
    ];
    expect(combine(rows, [0.25, 0.75])).toEqual({
      probabilities: Float32Array.of(0.625, 0.375),
      meanLogits: Float32Array.of(1, 0.5),
    });
    expect(combine(rows.slice(1), [1])).toBe(rows[1]);
  });
});
