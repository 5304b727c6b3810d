/** Runs that only label, and students that learn from what they have left. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_FILES, type CheckpointRecord, LABEL_SET_FILE } from '@mealtable/protocol/records';
import type { DistillationConfig, LabellingConfig, RunConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { hashKey } from '../../trainer/labels/key.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { LabelSetFile } from '../../trainer/labels/label-set-file.ts';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import {
  CLASSIFICATION,
  checkpointPath,
  checkpointsOf,
  type JobParts,
  logOf,
  makeAttempt,
  makeJob,
  metricsOf,
  recordsOf,
  runId,
  TestTrainer,
} from '../support/trainer-process.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

const CLASSES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const VIEWS = 2;
/** 28 images and two views of each, in batches of 4 and files of 16 labels. */
const LABELS = 28 * VIEWS;
const LIMITS = { labelsPerPart: 16, checkpointMs: 0, reportMs: 0 };
const PARTS = ['0-16', '16-32', '32-48', '48-56'].map((range) => `000000000-part-${range}.labels`);
let programs: BundledPrograms;
let root: string;
let dataset: string;
const teacherPaths: NonNullable<JobParts['teacherPaths']> = [];
let attempts = 0;

interface Attempt extends JobParts {
  labels: string;
  stopAfter?: number;
  from?: string;
}
async function run(config: RunConfig, { labels, stopAfter = Number.POSITIVE_INFINITY, from, ...more }: Attempt) {
  const dir = join(root, `attempt-${++attempts}`);
  mkdirSync(dir);
  const writer = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
  let step = 0;
  try {
    const outcome = await runAttempt({
      attemptDir: dir,
      job: makeJob(config, from ?? dataset, { teacherPaths, ...more }),
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
      labellingLimits: LIMITS,
    });
    return { dir, outcome };
  } finally {
    writer.close();
  }
}

const teacher = (n: number) => ({ kind: 'run' as const, runId: runId(n) });
const labelling = (n: number, more: Partial<LabellingConfig> = {}): LabellingConfig => ({
  task: 'labelling',
  version: 1,
  dataset: 'test',
  teachers: [teacher(n)],
  inputSize: 16,
  batchSize: 4,
  precision: 'float32',
  softLabels: { viewsPerImage: VIEWS, augmentationSeed: 1, keep: 'full', logits: true },
  ...more,
});
const student = (softLabels: Partial<NonNullable<DistillationConfig['softLabels']>> = {}): DistillationConfig => ({
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [teacher(7), { ...teacher(8), weight: 2 }],
  discriminator: true,
  epochs: VIEWS,
  softLabels: { mode: 'cached', viewsPerImage: VIEWS, augmentationSeed: 1, keep: 'full', ...softLabels },
});
const LABELLED = student({ labelledBy: [runId(17), runId(18)] });

const seriesOf = (dir: string, name: string) =>
  metricsOf(dir).flatMap(({ values }) => (name in values ? [Number(values[name])] : []));
const hitRates = (dir: string) => seriesOf(dir, 'labels/hit_rate');
const every = (rate: number) => Array<number>(VIEWS * 7).fill(rate);
const lossesOf = (dir: string) => [
  seriesOf(dir, 'train/similarity_loss'),
  seriesOf(dir, 'train/discriminator_loss'),
  seriesOf(dir, 'val/loss'),
];
const lastOf = (dir: string): CheckpointRecord => checkpointsOf(dir).at(-1)!;
const hashesOf = (dir: string) => Object.fromEntries(lastOf(dir).files.map(({ name, sha256 }) => [name, sha256]));
const setOf = (dir: string) =>
  LabelSetFile.parse(JSON.parse(readFileSync(checkpointPath(dir, lastOf(dir), LABEL_SET_FILE), 'utf8')));
const segmentsIn = (labels: string, dir: string) => readdirSync(join(root, labels, hashKey(setOf(dir).key))).sort();

/** What an agent does with the files of a checkpoint. */
function bring(dir: string, labels: string): { runId: string; path: string } {
  const { key } = setOf(dir);
  const folder = join(root, labels, hashKey(key));
  mkdirSync(folder, { recursive: true });
  for (const { name } of lastOf(dir).files)
    if (name !== LABEL_SET_FILE) copyFileSync(checkpointPath(dir, lastOf(dir), name), join(folder, name));
  return { runId: runId(17), path: checkpointPath(dir, lastOf(dir), LABEL_SET_FILE) };
}

/** Runs 17 and 18, which label with the teachers 7 and 8. */
let strong: string[];
let cached: string;

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'labelling-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: CLASSES, train: 4, val: 1, size: 12 });
  for (const seed of [7, 8]) {
    const { dir } = await run({ ...CLASSIFICATION, epochs: 1, seed }, { labels: 'none' });
    const path = checkpointPath(dir, checkpointsOf(dir)[0]!, CHECKPOINT_FILES.model);
    teacherPaths.push({ runId: runId(seed), network: 'resnet18_w8', classCount: CLASSES.length, path });
  }
  strong = [];
  for (const n of [7, 8]) strong.push((await run(labelling(n), { labels: 'strong' })).dir);
  cached = (await run(student(), { labels: 'alone' })).dir;
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

describe('a run that labels', () => {
  test('leaves the labels of every view as files, in a checkpoint after each and at its end', () => {
    const dir = strong[0]!;
    expect(checkpointsOf(dir).map(({ files }) => files.length)).toEqual([2, 3, 4, 5, 5]);
    expect(lastOf(dir)).toMatchObject({ stepsCompleted: 14, epoch: VIEWS, top1: null, isBest: false });
    expect(lastOf(dir).files.map(({ name }) => name)).toEqual([LABEL_SET_FILE, ...PARTS]);
    for (const { name, sizeBytes } of lastOf(dir).files)
      expect(statSync(checkpointPath(dir, lastOf(dir), name)).size).toBe(sizeBytes);
    expect(setOf(dir)).toMatchObject({ viewsPerImage: VIEWS, key: { precision: 'float32', meanLogits: true } });
    // They are the cache's own: nothing is kept twice.
    expect(segmentsIn('strong', dir)).toEqual(PARTS);
  });

  test('tells how far it is, step by step', () => {
    const records = recordsOf(strong[0]!);
    expect(records.find(({ kind }) => kind === 'started')).toMatchObject({
      stepsCompleted: 0,
      stepsPerEpoch: 7,
      totalSteps: 14,
    });
    const coverage = seriesOf(strong[0]!, 'labels/coverage');
    expect(coverage).toEqual(coverage.toSorted((a, b) => a - b));
    expect(coverage.at(-1)).toBe(100);
    expect(metricsOf(strong[0]!).at(-1)).toMatchObject({ step: 14, epoch: VIEWS });
    expect(Math.min(...seriesOf(strong[0]!, 'train/teacher_ms'))).toBeGreaterThan(0);
    expect(seriesOf(strong[0]!, 'labels/images_per_s')).toHaveLength(14);
  });

  test('of a set that is complete asks nobody and names the same files', async () => {
    const { dir, outcome } = await run(labelling(7), { labels: 'strong', teacherPaths });
    expect(outcome).toBe('succeeded');
    expect(seriesOf(dir, 'train/teacher_ms')).toEqual([]);
    expect(hashesOf(dir)).toEqual(hashesOf(strong[0]!));
    expect(logOf(dir).filter((line) => line.includes(`has ${LABELS} of the ${LABELS} labels`))).toHaveLength(1);
  });

  test('that was stopped goes on where it was on this host, and from its files on another', async () => {
    const stopped = await run(labelling(7), { labels: 'stopped', stopAfter: 6 });
    expect(stopped.outcome).toBe('interrupted');
    const { stepsCompleted, files } = lastOf(stopped.dir);
    expect([stepsCompleted, files.length]).toEqual([4, 2]);
    const resume = { resumeDir: root, grant: { attempt: 2, resume: { stepsCompleted, files } } };
    bring(stopped.dir, 'elsewhere');
    for (const [labels, computed] of [
      ['stopped', LABELS - 24],
      ['elsewhere', LABELS - 16],
    ] as const) {
      const { dir } = await run(labelling(7), { labels, ...resume });
      expect(hashesOf(dir)).toEqual(hashesOf(strong[0]!));
      expect(recordsOf(dir).find(({ kind }) => kind === 'started')).toMatchObject({ stepsCompleted: 4 });
      expect(Math.min(...metricsOf(dir).map(({ step }) => step))).toBeGreaterThanOrEqual(4);
      expect(seriesOf(dir, 'train/teacher_ms')).toHaveLength(computed / 4);
    }
  });

  test('that was killed goes on from what it had written', async () => {
    const dir = join(root, 'killed');
    const config = labelling(7, { softLabels: { ...labelling(7).softLabels, viewsPerImage: 400 } });
    makeAttempt(dir, makeJob(config, dataset, { teacherPaths }));
    const cache = join(root, 'killed-cache');
    const before = process.env.MEALTABLE_CACHE;
    process.env.MEALTABLE_CACHE = cache;
    let trainer: TestTrainer;
    try {
      trainer = new TestTrainer(programs.trainer, dir);
    } finally {
      if (before === undefined) delete process.env.MEALTABLE_CACHE;
      else process.env.MEALTABLE_CACHE = before;
    }
    const key = () => {
      const sets = existsSync(join(cache, 'labels')) ? readdirSync(join(cache, 'labels')) : [];
      return sets.find((name) => name.length === 64);
    };
    // Far more than the description of the set: labels are there.
    const bytes = () => {
      const folder = join(cache, 'labels', key() ?? '');
      const files = key() === undefined ? [] : readdirSync(folder, { withFileTypes: true });
      return Math.max(0, ...files.flatMap((file) => (file.isFile() ? statSync(join(folder, file.name)).size : [])));
    };
    await trainer.until(() => bytes() > 16_384);
    trainer.kill('SIGKILL');
    expect((await trainer.ended).signal).toBe('SIGKILL');
    const labels = join('killed-cache', 'labels');
    const { dir: next } = await run(config, { labels, stopAfter: 100 });
    const [, labelled] = /has ([\d,]+) of the 11,200 labels/.exec(logOf(next).join('\n')) ?? [];
    expect(Number(labelled?.replaceAll(',', ''))).toBeGreaterThan(0);
  });

  test('keeps the labels of several teachers whose logits are averaged together', async () => {
    const teachers = [teacher(7), { ...teacher(8), weight: 2 }];
    const joint = await run(labelling(7, { teachers, ensemble: 'mean-logit' }), { labels: 'joint' });
    const config: DistillationConfig = { ...student({ labelledBy: [runId(17)] }), ensemble: 'mean-logit' };
    const { dir } = await run(config, { labels: 'joint-there', labelSets: [bring(joint.dir, 'joint-there')] });
    expect(hitRates(dir)).toEqual(every(100));
  });

  test('mends a file in which something was altered', async () => {
    const { dir } = await run(labelling(7), { labels: 'mended' });
    const path = join(root, 'mended', hashKey(setOf(dir).key), PARTS[1]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 12]! ^= 1;
    rmSync(path);
    writeFileSync(path, bytes);
    const again = await run(labelling(7), { labels: 'mended' });
    expect(seriesOf(again.dir, 'train/teacher_ms')).toHaveLength(1);
    expect(hashesOf(again.dir)).toEqual(hashesOf(dir));
  });

  test('leaves out images that cannot be read', async () => {
    const other = join(root, 'unreadable');
    await makeImageFolder(other, { classes: CLASSES, train: 30, val: 1, size: 12 });
    const folder = join(other, 'train', 'a');
    writeFileSync(join(folder, readdirSync(folder).sort()[0]!), 'no image');
    const { dir, outcome } = await run(labelling(7), { labels: 'unreadable-labels', from: other });
    expect(outcome).toBe('succeeded');
    expect(seriesOf(dir, 'data/unreadable_images').at(-1)).toBe(1);
    const { key } = setOf(dir);
    const cache = openLabelCache(join(root, 'unreadable-labels'), key, { writable: false });
    expect(cache.coverage(VIEWS)).toMatchObject({ labelled: 209 * VIEWS, total: 210 * VIEWS });
    cache.close();
    expect(hashesOf((await run(labelling(7), { labels: 'unreadable-labels', from: other })).dir)).toEqual(
      hashesOf(dir),
    );
  });
});

describe('a student whose labels another host computed', () => {
  const labelSets = (labels: string) => strong.map((dir) => bring(dir, labels));

  test('has the very numbers of one with a cache of its own, and asks no teacher', async () => {
    const { dir } = await run(LABELLED, { labels: 'small', labelSets: labelSets('small') });
    expect(hitRates(dir)).toEqual(every(100));
    expect(lossesOf(dir)).toEqual(lossesOf(cached));
    expect(hitRates(cached)).toEqual(every(0));
  });

  test('takes those of another precision', async () => {
    const described = strong.map((dir, i) => {
      const { key } = setOf(dir);
      const from = openLabelCache(join(root, 'strong'), key, { writable: false });
      const elsewhere = { ...key, precision: 'bfloat16' as const };
      const to = openLabelCache(join(root, 'rounded'), elsewhere, { writable: true });
      const places = Array.from({ length: LABELS }, (_, n) => n % 28);
      const views = Array.from({ length: LABELS }, (_, n) => Math.floor(n / 28));
      const { missing, ...rows } = from.lookup(places, views);
      expect(missing).toEqual([]);
      to.append(places, views, rows);
      from.close();
      to.close();
      const path = join(root, `rounded-${i}.json`);
      writeFileSync(path, JSON.stringify({ ...setOf(dir), key: elsewhere }));
      return { runId: runId(17 + i), path };
    });
    const { dir } = await run(LABELLED, { labels: 'rounded', labelSets: described });
    expect(hitRates(dir)).toEqual(every(100));
  });

  test('computes a label anew that was altered on its way or since', async () => {
    const described = labelSets('altered');
    const path = join(root, 'altered', hashKey(setOf(strong[0]!).key), PARTS[0]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 12]! ^= 1;
    writeFileSync(path, bytes);
    const { dir } = await run(LABELLED, { labels: 'altered', labelSets: described });
    expect(hitRates(dir).filter((rate) => rate !== 100)).toEqual([87.5]);
    expect(lossesOf(dir)).toEqual(lossesOf(cached));
  });

  test('ends where another dataset was labelled, with other weights, or otherwise', async () => {
    const other = join(root, 'other');
    await makeImageFolder(other, { classes: CLASSES, train: 5, val: 1, size: 12 });
    const failed = (more: Partial<Attempt>, config: RunConfig = LABELLED) =>
      expect(run(config, { labels: 'refused', labelSets: labelSets('refused'), ...more })).rejects;
    await failed({ from: other }).toMatchObject({
      failureCode: 'dataset_invalid',
      message: expect.stringMatching(
        /^The dataset here has 35 training images in 7 classes \(\w+\), but run_\w+ has labelled 28 training images in 7 classes/,
      ),
    });
    const swapped = teacherPaths.map((file, i) => ({ ...file, path: teacherPaths[(i + 1) % 2]!.path }));
    await failed({
      teacherPaths: [swapped[0]!, { ...swapped[0]!, runId: runId(8) }],
      labelSets: labelSets('refused').slice(0, 1),
    }).toMatchObject({
      failureCode: 'weights_missing',
      message: expect.stringMatching(/^No run has labelled with resnet18_w8 .* \(other teachers\)/),
    });
    await failed({}, student({ labelledBy: [runId(17)], augmentationSeed: 2 })).toMatchObject({
      failureCode: 'weights_missing',
      message: expect.stringContaining('(other views)'),
    });
  });
});
