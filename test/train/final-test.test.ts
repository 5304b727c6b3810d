/** A run's last act: its saved checkpoints measured as they are read back. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointRecord } from '@mealtable/protocol/records';
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestSplit } from '../../trainer/data/layouts/test-split.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import {
  CLASSIFICATION,
  checkpointsOf,
  type JobParts,
  logOf,
  makeJob,
  metricsOf,
  resumeAfter,
} from '../support/trainer-process.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

const CLASSES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const CONFIG: TrainingConfig = {
  ...CLASSIFICATION,
  epochs: 3,
  batchSize: 8,
  seed: 3,
  optimizer: { ...CLASSIFICATION.optimizer, learningRate: 0.5 },
};
let programs: BundledPrograms;
let root: string;
let dataset: string;
let whole: string;
let attempts = 0;

/** `stopWhen` looks at each line of the log. */
async function run(more: JobParts & { folder?: string; stopWhen?: RegExp } = {}) {
  const { folder = dataset, stopWhen, ...parts } = more;
  const dir = join(root, `attempt-${++attempts}`);
  mkdirSync(dir);
  const writer = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
  let stops = false;
  try {
    const outcome = await runAttempt({
      attemptDir: dir,
      job: makeJob(CONFIG, folder, parts),
      records: {
        write: (body) => writer.write(body),
        log: (level, line) => {
          if (stopWhen?.test(line)) stops = true;
          return writer.log(level, line);
        },
      },
      imageWorkerUrl: programs.imageWorkerUrl,
      shouldStop: () => stops,
    });
    return { dir, outcome };
  } finally {
    writer.close();
  }
}
/** The numbers of all records that have `section`. */
const numbersOf = (dir: string, section: string) =>
  metricsOf(dir).flatMap(({ values }) => {
    const own = Object.entries(values).filter(([name]) => name.startsWith(`${section}/`));
    return own.length > 0
      ? [Object.fromEntries(own.map(([name, value]) => [name.slice(section.length + 1), value]))]
      : [];
  });
const bestOf = (dir: string): CheckpointRecord => checkpointsOf(dir).findLast(({ isBest }) => isBest)!;

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'final-test-'));
  dataset = join(root, 'dataset');
  // 21 images to validate with: two batches of 8 and one of 5.
  await makeImageFolder(dataset, { classes: CLASSES, train: 4, val: 3, size: 12 });
  whole = (await run()).dir;
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

test('best and latest as saved have the very numbers of their epochs’ validations, over all images', async () => {
  const validations = numbersOf(whole, 'val');
  const { epoch } = bestOf(whole);
  // Otherwise the two would be one.
  expect(epoch).toBeLessThan(CONFIG.epochs);
  const [best, latest] = [validations[epoch - 1]!, validations.at(-1)!];
  expect(numbersOf(whole, 'test')).toEqual([
    {
      best_top1: best.top1,
      best_top5: best.top5,
      best_loss: best.loss,
      latest_top1: latest.top1,
      latest_top5: latest.top5,
      latest_loss: latest.loss,
    },
  ]);
  expect(best.loss).not.toBe(latest.loss);
  expect(logOf(whole).at(-1)).toMatch(
    /^Tested as saved, on 21 validation images: best \(epoch [12]\) top-1 .*; latest \(epoch 3\)/,
  );
});

describe('a run that ended while it was tested', () => {
  let stopped: string;
  let resumed: JobParts;
  beforeAll(async () => {
    const { dir, outcome } = await run({ stopWhen: /^Epoch 3 of 3/ });
    stopped = dir;
    expect(outcome).toBe('interrupted');
    resumed = resumeAfter([dir]);
  });

  test('has no numbers of the test, and goes on to the same ones', async () => {
    expect(numbersOf(stopped, 'test')).toEqual([]);
    const { dir, outcome } = await run(resumed);
    expect(outcome).toBe('succeeded');
    expect(numbersOf(dir, 'test')).toEqual(numbersOf(whole, 'test'));
    expect(numbersOf(dir, 'val')).toEqual([]);
  });

  test('tests what there is where the best checkpoint cannot be had, and says so', async () => {
    const { grant, resumeDir } = resumed;
    const { dir } = await run({ resumeDir, grant: { ...grant, best: null } });
    const { latest_top1, latest_top5, latest_loss } = numbersOf(whole, 'test')[0]!;
    expect(numbersOf(dir, 'test')).toEqual([{ latest_top1, latest_top5, latest_loss }]);
    expect(logOf(dir)).toContain('The best checkpoint is not on this host: it is not tested.');
  });
});

describe('test images beside the others', () => {
  const withTest = (name: string, from: string) => {
    const folder = join(root, name);
    cpSync(dataset, folder, { recursive: true });
    cpSync(join(dataset, from), join(folder, 'test'), { recursive: true });
    return folder;
  };

  test('are measured in the place of the validation images, and make no other dataset', async () => {
    const folder = withTest('tested', 'train');
    expect((await openDataset(folder, null)).fingerprint).toBe((await openDataset(dataset, null)).fingerprint);
    const { dir } = await run({ folder });
    expect(numbersOf(dir, 'val')).toEqual(numbersOf(whole, 'val'));
    expect(numbersOf(dir, 'test')).toHaveLength(1);
    expect(numbersOf(dir, 'test')).not.toEqual(numbersOf(whole, 'test'));
    expect(logOf(dir).at(-1)).toMatch(/^Tested as saved, on 28 test images: /);
  });

  test('are left alone where they have a class too many or no classes, as ILSVRC’s', async () => {
    const classNames = CLASSES.slice(1);
    const folder = withTest('more-classes', 'val');
    const { split, problem } = await openTestSplit(folder, classNames);
    expect(split).toBeNull();
    expect(problem).toBe(`Folder a in ${join(folder, 'test')} is of no class of the dataset.`);
    expect((await openTestSplit(folder, CLASSES)).split).toHaveLength(21);
    expect(await openTestSplit(withTest('flat', 'val/a'), CLASSES)).toEqual({ split: null, problem: null });
    expect(await openTestSplit(dataset, CLASSES)).toEqual({ split: null, problem: null });
  });
});
