/** Same seed, same mode: the same numbers to the bit, with as many threads as a host's slot may have. */
import { join } from 'node:path';
import type { DistillationConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import type { TeacherFile } from '../../trainer/train/job.ts';
import { Attempts, type Played } from '../support/attempts.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import { CLASSIFICATION, runId } from '../support/trainer-process.ts';

/** More than one, so that TensorFlow divides its sums and runs ops side by side. */
const THREADS = 4;
await loadRuntime({ ...process.env, MEALTABLE_THREADS: String(THREADS) });
await setUpTensorFlow();
const CLASSES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** 48 images in batches of 16. */
const EPOCHS = 2;
const STEPS = EPOCHS * 3;

let attempts: Attempts;
let dataset: string;
const teacherPaths: TeacherFile[] = [];

beforeAll(async () => {
  attempts = await Attempts.open(THREADS);
  dataset = join(attempts.root, 'dataset');
  await makeImageFolder(dataset, { classes: CLASSES, train: 6, val: 2, size: 24 });
  for (const seed of [7, 8]) {
    const config = { ...CLASSIFICATION, inputSize: 24, batchSize: 16, epochs: 1, seed };
    teacherPaths.push(await attempts.teach(dataset, config, runId(seed), CLASSES.length));
  }
});
afterAll(() => attempts.close());

const ONLINE: DistillationConfig = {
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [7, 8].map((n) => ({ kind: 'run', runId: runId(n) })),
  discriminator: true,
  inputSize: 24,
  batchSize: 16,
  epochs: EPOCHS,
};
const CACHED: DistillationConfig = {
  ...ONLINE,
  softLabels: { mode: 'cached', viewsPerImage: EPOCHS, augmentationSeed: 1, keep: 'full', logits: true },
};

/** Without what is measured of the machine. */
const numbersOf = ({ points }: Played) =>
  points.map(({ step, values }) => [
    step,
    Object.entries(values).filter(([name]) => !/_ms$|images_per_s$|^memory\//.test(name)),
  ]);

test.each([
  ['online', ONLINE],
  ['cached, each computing its own labels', CACHED],
] as const)('two whole runs record the same numbers, %s', { timeout: 120_000 }, async (_name, config) => {
  const [first, second] = [
    await attempts.play(dataset, config, { teacherPaths, labels: 'first' }),
    await attempts.play(dataset, config, { teacherPaths, labels: 'second' }),
  ];
  // Each step, each validation, and the test at the end.
  expect(first.points).toHaveLength(STEPS + EPOCHS + 1);
  expect(first.points.flatMap(({ values }) => values['train/discriminator_loss'] ?? [])).toHaveLength(STEPS);
  // By the captured graph: a run that fell back would warn.
  expect([...first.warnings, ...second.warnings].filter((line) => line.includes('op by op'))).toEqual([]);
  expect(numbersOf(second)).toEqual(numbersOf(first));
  // Numbers that depend on the seed, not ones that are the same for all.
  const other = await attempts.play(dataset, { ...config, seed: 2 }, { teacherPaths, stopAfter: 1, labels: 'first' });
  expect(numbersOf(other)[0]).not.toEqual(numbersOf(first)[0]);
});
