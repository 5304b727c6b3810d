/** Evaluating weights: as a run, and from the command line. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OWN_PREPROCESSING, usualPreprocessing } from '@mealtable/protocol/evaluation';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { EvaluationConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFERENCE_VIEWS } from '../../trainer/data/augment.ts';
import { ImagePool } from '../../trainer/data/image-pool.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { IMAGENET_NORMALISATION, normalisePixels, uploadPixels } from '../../trainer/engine/pixels.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { formatResult } from '../../trainer/evaluate/report.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import type { EvaluationOrder } from '../../trainer/train/evaluation.ts';
import { ATTEMPT_FILES, TrainerJob } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { describeFailure } from '../../trainer/train/run-failure.ts';
import { scoreLogits } from '../../trainer/train/score-logits.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import { checkpointsOf, logOf, makeJob, metricsOf, recordsOf, runId } from '../support/trainer-process.ts';

await setUpTensorFlow();

const NETWORK = 'tf_mobilenetv3_small_025';
const SIZE = 32;
/** Unlike those of training in every respect. */
const PREPROCESSING: EvaluationConfig['preprocessing'] = {
  cropFraction: 1,
  interpolation: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const CHECKPOINT = `ckp_${'0'.repeat(22)}`;
const CONFIG: EvaluationConfig = {
  version: 1,
  task: 'evaluation',
  dataset: 'test',
  network: NETWORK,
  source: { kind: 'run', runId: runId(7), checkpointId: CHECKPOINT },
  inputSize: SIZE,
  batchSize: 4,
  preprocessing: PREPROCESSING,
};

let programs: BundledPrograms;
let root: string;
let dataset: string;
let weights: string;
let attempts = 0;

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'mealtable-evaluation-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], train: 2, val: 2, size: 40 });
  weights = join(root, 'model.safetensors');
  const network = createNetwork(NETWORK, 7, Rng.seeded(5));
  await writeSafetensors(weights, network.toSource());
  network.dispose();
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

const input = (classCount = 7) => ({
  runId: runId(7),
  network: NETWORK,
  classCount,
  file: { name: CHECKPOINT_FILES.model, sha256: 'a'.repeat(64), sizeBytes: 1 },
});

async function run(config: EvaluationConfig, { classCount = 7, shouldStop = () => false as boolean } = {}) {
  const attemptDir = join(root, `attempt-${++attempts}`);
  mkdirSync(attemptDir);
  const records = RecordWriter.open(join(attemptDir, ATTEMPT_FILES.records));
  const isRun = config.source.kind === 'run';
  const job = TrainerJob.parse(
    makeJob(config, dataset, {
      initialisationPath: isRun ? weights : null,
      grant: { initialisation: isRun ? input(classCount) : null },
    }),
  );
  try {
    const { imageWorkerUrl } = programs;
    return { dir: attemptDir, outcome: await runAttempt({ attemptDir, job, records, imageWorkerUrl, shouldStop }) };
  } finally {
    records.close();
  }
}

/** The same numbers without batches, graphs or folded batch norm: image by image through the network itself. */
async function expected(preprocessing: EvaluationConfig['preprocessing']) {
  const { splits } = await openDataset(dataset, null);
  const { cropFraction, interpolation } = preprocessing;
  const pool = new ImagePool({
    workerUrl: programs.imageWorkerUrl,
    seed: 0,
    views: { inputSize: SIZE, cropFraction, interpolation },
    threads: 1,
    cacheBytes: 0,
  });
  const network = createNetwork(NETWORK, 7, Rng.seeded(5));
  const sums = { top1: 0, top5: 0, loss: 0 };
  for (let place = 0; place < splits.val.length; place++) {
    const { pixels } = await pool.render([place], [splits.val.locate(place)], null);
    const logits = tf.tidy(() =>
      network.forward(normalisePixels(uploadPixels(pixels, 1), preprocessing), false).dataSync(),
    );
    const score = scoreLogits(logits as Float32Array, splits.val.labels.subarray(place, place + 1));
    for (const key of ['top1', 'top5', 'loss'] as const) sums[key] += score[key];
  }
  network.dispose();
  await pool.close();
  const percent = (sum: number) => (100 * sum) / splits.val.length;
  return { top1: percent(sums.top1), top5: percent(sums.top5), loss: sums.loss / splits.val.length };
}

describe('an evaluation as a run', () => {
  test('records top-1, top-5 and loss once, as image by image, and leaves no checkpoint and no tensor', async () => {
    const before = tf.memory().numTensors;
    const { dir, outcome } = await run(CONFIG);
    expect(outcome).toBe('succeeded');
    expect(tf.memory().numTensors).toBe(before);
    const validated = metricsOf(dir).filter(({ values }) => 'val/top1' in values);
    const { top1, top5, loss } = await expected(PREPROCESSING);
    expect(validated).toHaveLength(1);
    // 14 images in batches of 4.
    expect(validated[0]).toMatchObject({ step: 4, epoch: 1, values: { 'val/top1': top1, 'val/top5': top5 } });
    expect(Number(validated[0]!.values['val/loss'])).toBeCloseTo(loss, 4);
    expect(recordsOf(dir).find(({ kind }) => kind === 'started')).toMatchObject({ totalSteps: 4, stepsCompleted: 0 });
    expect(checkpointsOf(dir)).toEqual([]);
    expect(logOf(dir).join('\n')).toMatch(
      /Evaluating the checkpoint ckp_0+ of run_0+7 .* at 32 pixels on test: 14 images in 7 classes/,
    );
  });

  test('prepares images as it is told: other means and crops give another loss', async () => {
    const lossOf = async (preprocessing: EvaluationConfig['preprocessing']) => {
      const { dir } = await run({ ...CONFIG, preprocessing });
      return Number(metricsOf(dir).at(-1)!.values['val/loss']);
    };
    const own = await lossOf(OWN_PREPROCESSING);
    expect(own).toBeCloseTo((await expected(OWN_PREPROCESSING)).loss, 4);
    expect(Math.abs(own - (await expected(PREPROCESSING)).loss)).toBeGreaterThan(1e-4);
  });

  test('stops between batches and begins anew the next time', async () => {
    expect((await run(CONFIG, { shouldStop: () => true })).outcome).toBe('interrupted');
    expect((await run(CONFIG)).outcome).toBe('succeeded');
  });

  test('fails as weights_missing where the classes differ, before anything is loaded or downloaded', async () => {
    const failed = async (config: EvaluationConfig, classCount?: number) =>
      describeFailure(await run(config, { classCount }).catch((error) => error));
    expect(await failed(CONFIG, 10)).toMatchObject({
      failureCode: 'weights_missing',
      message: expect.stringMatching(/^The checkpoint ckp_0+ of run_0+7 knows 10 classes, but the dataset has 7\./),
    });
    const published: EvaluationConfig = {
      ...CONFIG,
      network: 'resnet50',
      source: { kind: 'pretrained', weights: 'resnet50.a1_in1k' },
    };
    expect(await failed(published)).toMatchObject({
      failureCode: 'weights_missing',
      message: expect.stringContaining('knows 1000 classes, but the dataset has 7.'),
    });
  });
});

test('networks trained here are evaluated as their runs validate them', () => {
  const { cropFraction, interpolation, mean, std } = OWN_PREPROCESSING;
  expect({ cropFraction, interpolation }).toEqual(REFERENCE_VIEWS);
  expect({ mean, std }).toEqual(IMAGENET_NORMALISATION);
  expect(usualPreprocessing({ kind: 'pretrained', weights: 'resnet50.a1_in1k' })).toMatchObject({ cropFraction: 0.95 });
});

describe('the result for people', () => {
  const order: EvaluationOrder = {
    datasetPath: '/d',
    network: 'resnet50',
    source: { kind: 'pretrained', weights: 'resnet50.a1_in1k' },
    inputSize: 224,
    batchSize: 64,
    preprocessing: OWN_PREPROCESSING,
    threads: 1,
  };
  const result = { top1: 80.3, top5: 94.612, loss: 0.93, images: 50_000, unreadable: 0 };

  test('stands beside the published numbers with the difference', () => {
    expect(formatResult(order, result).split('\n')).toEqual([
      '         measured  published  difference',
      'top-1 %     80.30      80.38       -0.08',
      'top-5 %     94.61      94.60       +0.01',
      'loss       0.9300          -           -',
      'over 50,000 images',
    ]);
  });

  test('is held against nothing at another size, and alone for a checkpoint', () => {
    const larger = formatResult({ ...order, inputSize: 288 }, result);
    expect(larger).toMatch(/published at 224 px/);
    expect(larger).toMatch(/80\.30 +80\.38 +-\n/);
    const source = { kind: 'file' as const, what: 'x', path: '/x', classCount: null };
    expect(formatResult({ ...order, source }, { ...result, unreadable: 2 })).toMatch(
      /^ +measured\ntop-1 % +80\.30\n[\s\S]*; 2 more could not be read$/,
    );
  });
});

describe('npm run evaluate', () => {
  const program = () => join(programs.trainer, '..', 'evaluate.js');
  const evaluate = (args: string[], env: Record<string, string> = {}) =>
    promisify(execFile)(process.execPath, [program(), ...args], {
      env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: join(root, 'hf'), MEALTABLE_WEIGHTS_DIR: root, ...env },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  test('measures a checkpoint and prints one line of JSON with --json', async () => {
    const args = [
      '--checkpoint',
      weights,
      '--network',
      NETWORK,
      '--dataset',
      dataset,
      '--size',
      String(SIZE),
      '--json',
    ];
    const { code, stdout } = await evaluate(args);
    const { top1, loss } = await expected(OWN_PREPROCESSING);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ network: NETWORK, inputSize: SIZE, top1, images: 14, unreadable: 0 });
    expect(result.loss).toBeCloseTo(loss, 4);
  });

  test('takes a validation folder by itself, as timm’s validate.py does', async () => {
    const args = ['--checkpoint', weights, '--network', NETWORK, '--dataset', join(dataset, 'val')];
    const { code, stdout } = await evaluate([...args, '--size', String(SIZE), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ images: 14, top1: (await expected(OWN_PREPROCESSING)).top1 });
  });

  test('says in one sentence which file is missing, where it was looked for and where to put it', async () => {
    const many = join(root, 'thousand');
    for (let i = 0; i < 1000; i++) {
      const folder = join(many, 'val', `c${String(i).padStart(4, '0')}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, '0.png'), 'not looked at');
    }
    const { code, stderr, stdout } = await evaluate([
      '--weights',
      'resnet50.a1_in1k',
      '--dataset',
      many,
      '--size',
      '64',
    ]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^The classes are not named by ImageNet's synsets, so nothing tells/);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^The weights resnet50\.a1_in1k cannot be had\. .*Put the file into .* as resnet50\.a1_in1k\.safetensors/,
    );
  });

  test.each([
    [[], /^Give either --weights NAME or --checkpoint PATH\.$/],
    [['--weights', 'resnet50.a1_in1k'], /^Give --dataset FOLDER\.$/],
    [['--weights', 'resnet50', '--dataset', 'x'], /^"resnet50" names a network, not one set of weights: MEAL V2 meant/],
    [
      ['--weights', 'resnet50.a1_in1k', '--dataset', 'x', '--size', '5'],
      /^--size 5: The input size must be at least 16/,
    ],
    [['--checkpoint', '/nowhere', '--dataset', 'x'], /^There is no checkpoint at \/nowhere\.$/],
    [['--what'], /Unknown option '--what'/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stderr } = await evaluate(args);
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(message);
  });
});
