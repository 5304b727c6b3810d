import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptRecord, CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { DistillationConfig, TrainingConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { describeFailure } from '../../trainer/train/run-failure.ts';
import { readSafetensors, writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import {
  CLASSIFICATION,
  checkpointPath,
  checkpointsOf,
  type JobParts,
  logOf,
  makeJob,
  metricsOf,
  recordsOf,
  resumeAfter,
  runId,
} from '../support/trainer-process.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

/** 36 images in 3 classes to train on: 9 steps of 4 an epoch. */
const STEPS_PER_EPOCH = 9;
let programs: BundledPrograms;
let root: string;
let dataset: string;
/** A finished run, whose best weights teach. */
let teacherDir: string;
let teacherPath: string;
let attempts = 0;

/** An attempt in this process; `stopAfter` asks it to stop when that many steps are recorded. */
async function run(
  config: TrainingConfig,
  {
    stopAfter = Number.POSITIVE_INFINITY,
    folder = dataset,
    freeBytes,
    ...more
  }: JobParts & { stopAfter?: number; folder?: string; freeBytes?: () => number | null } = {},
): Promise<{ dir: string; outcome: string }> {
  const dir = join(root, `attempt-${++attempts}`);
  mkdirSync(dir);
  const writer = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
  let step = 0;
  const records = {
    write: (body: Parameters<RecordWriter['write']>[0]) => {
      if (body.kind === 'metrics') step = body.step;
      return writer.write(body);
    },
    log: (...args: Parameters<RecordWriter['log']>) => writer.log(...args),
  };
  try {
    const job = makeJob(config, folder, more);
    const imageWorkerUrl = programs.imageWorkerUrl;
    const shouldStop = () => step >= stopAfter;
    return { dir, outcome: await runAttempt({ attemptDir: dir, job, records, imageWorkerUrl, shouldStop, freeBytes }) };
  } finally {
    writer.close();
  }
}

/** Its first and its last checkpoint, as if of two runs. */
const twoTeachers = () => [
  teacher(),
  {
    ...teacher(checkpointPath(teacherDir, checkpointsOf(teacherDir).at(-1)!, CHECKPOINT_FILES.model)),
    runId: runId(8),
  },
];
const teacher = (path = teacherPath) => ({ runId: runId(7), network: 'resnet18_w8' as const, classCount: 3, path });
const distillation = (discriminator: boolean, epochs: number): DistillationConfig => ({
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [{ kind: 'run', runId: runId(7) }],
  discriminator,
  epochs,
});

/** Everything that a recipe can ask for, in one run. */
const WHOLE_RECIPE: TrainingConfig = {
  ...distillation(true, 2),
  optimizer: {
    ...CLASSIFICATION.optimizer,
    learningRate: 1e-3,
    weightDecay: 0.05,
    decayedParameters: 'kernels',
    adamw: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
    schedule: { kind: 'cosine', warmupEpochs: 1 },
  },
  ema: { decay: 0.9, warmup: true },
  accumulation: 3,
  mixing: { kind: 'cutmix', alpha: 1, probability: 1 },
};

/** Each of the method's choices other than MEAL V2's. */
const OTHER_METHOD: TrainingConfig = {
  ...distillation(true, 1),
  teachers: [
    { kind: 'run', runId: runId(7), weight: 2 },
    { kind: 'run', runId: runId(8) },
  ],
  ensemble: 'random-teacher',
  temperature: 2,
  hardLabelWeight: 0.25,
  labelSmoothing: 0.1,
  discriminatorOptions: { gradient: 'reversal', learningRateFactor: 0.5, finalRelu: false, inputs: 'probabilities' },
};

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'attempts-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: ['a', 'b', 'c'], train: 12, val: 3, size: 12 });
  const { dir, outcome } = await run(CLASSIFICATION);
  expect(outcome).toBe('succeeded');
  teacherDir = dir;
  teacherPath = checkpointPath(dir, checkpointsOf(dir)[0]!, CHECKPOINT_FILES.model);
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

describe('an attempt that ends well', () => {
  test('records its start, every step, every validation and every checkpoint, numbered without a gap', () => {
    const records = recordsOf(teacherDir);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, i) => i + 1));
    for (const record of records) AttemptRecord.parse(record);
    expect(records.find((r) => r.kind === 'started')).toMatchObject({
      stepsCompleted: 0,
      stepsPerEpoch: STEPS_PER_EPOCH,
      totalSteps: 2 * STEPS_PER_EPOCH,
    });
    const metrics = metricsOf(teacherDir);
    const steps = (name: string) => metrics.filter(({ values }) => name in values).map(({ step }) => step);
    expect(steps('train/hard_label_loss')).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect(steps('val/top1')).toEqual([9, 18]);
    expect(checkpointsOf(teacherDir).map(({ stepsCompleted, epoch }) => [stepsCompleted, epoch])).toEqual([
      [9, 1],
      [18, 2],
    ]);
  });

  const namesIn = (dir: string) => [...new Set(metricsOf(dir).flatMap(({ values }) => Object.keys(values)))].sort();
  const OF_EVERY_RUN = [
    'memory/peak_mb',
    'test/best_loss',
    'test/best_top1',
    'test/best_top5',
    'test/latest_loss',
    'test/latest_top1',
    'test/latest_top5',
    'train/data_wait_ms',
    'train/hard_label_loss',
    'train/images_per_s',
    'train/learning_rate',
    'train/loss',
    'train/top1',
    'val/loss',
    'val/top1',
    'val/top5',
  ];

  test('writes metrics of exactly these names', () => {
    expect(namesIn(teacherDir)).toEqual(OF_EVERY_RUN);
  });

  test('of a distillation writes also its losses and what teachers say of the same crops', async () => {
    const { dir } = await run(distillation(true, 1), { teacherPaths: [teacher()] });
    const own = [
      'train/discriminator_accuracy',
      'train/discriminator_loss',
      'train/ensemble_top1',
      'train/similarity_loss',
      'train/student_ms',
      'train/teacher_agreement',
      'train/teacher_ms',
    ];
    expect(namesIn(dir)).toEqual(expect.arrayContaining([...OF_EVERY_RUN, ...own]));
  });

  test('leaves checkpoints whose files are those of the manifest', () => {
    for (const checkpoint of checkpointsOf(teacherDir)) {
      expect(checkpoint.files.map(({ name }) => name).sort()).toEqual(Object.values(CHECKPOINT_FILES).sort());
      for (const { name, sha256, sizeBytes } of checkpoint.files) {
        const bytes = readFileSync(checkpointPath(teacherDir, checkpoint, name));
        expect([createHash('sha256').update(bytes).digest('hex'), bytes.length]).toEqual([sha256, sizeBytes]);
      }
    }
  });

  test.each([true, false])('with the discriminator on: %s, records and saves exactly its parts', async (on) => {
    const { dir, outcome } = await run(distillation(on, 1), { teacherPaths: [teacher()] });
    expect(outcome).toBe('succeeded');
    const { values } = metricsOf(dir)[0]!;
    const read = (name: string) => Number(values[`train/${name}`] ?? 0);
    expect('train/discriminator_loss' in values).toBe(on);
    expect(read('loss')).toBeCloseTo(read('similarity_loss') + read('discriminator_loss'), 5);
    const last = checkpointsOf(dir).at(-1)!;
    const { tensors } = await readSafetensors(checkpointPath(dir, last, CHECKPOINT_FILES.state));
    expect(tensors.has('discriminator.fc1.weight')).toBe(on);
    expect(tensors.has('sgd.discriminator.fc1.weight')).toBe(on);
  });

  test('with another method minimises what that says, and tells what became of it', async () => {
    const { dir, outcome } = await run(OTHER_METHOD, { teacherPaths: twoTeachers() });
    expect(outcome).toBe('succeeded');
    const steps = metricsOf(dir).filter(({ values }) => 'train/loss' in values);
    expect(steps).toHaveLength(STEPS_PER_EPOCH);
    for (const { values } of steps) {
      const read = (name: string) => Number(values[`train/${name}`]);
      const expected = 0.75 * read('similarity_loss') + 0.25 * read('hard_label_loss') + read('discriminator_loss');
      expect(read('loss')).toBeCloseTo(expected, 4);
      for (const share of ['top1', 'ensemble_top1', 'teacher_agreement', 'discriminator_accuracy'])
        expect([share, read(share) >= 0 && read(share) <= 100]).toEqual([share, true]);
    }
  });

  test('with averages of the weights validates and saves those, and the trained weights beside them', async () => {
    // Averages that hardly move, beside weights that do.
    const ema = { decay: 0.999999, warmup: false };
    const initialisation = { kind: 'run' as const, runId: runId(7) };
    const file = checkpointsOf(teacherDir)[0]!.files[0]!;
    const { dir } = await run(
      { ...CLASSIFICATION, epochs: 1, initialisation, ema },
      {
        initialisationPath: teacherPath,
        grant: { initialisation: { runId: runId(7), network: 'resnet18_w8', classCount: 3, file } },
      },
    );
    const numbersOf = async (path: string, name: string) =>
      (await readSafetensors(path)).tensors.get(name)!.data as Float32Array;
    const checkpoint = checkpointsOf(dir)[0]!;
    const path = (file: string) => checkpointPath(dir, checkpoint, file);
    const start = await numbersOf(teacherPath, 'fc.weight');
    expectClose(await numbersOf(path(CHECKPOINT_FILES.model), 'fc.weight'), start, 1e-5);
    const trained = await numbersOf(path(CHECKPOINT_FILES.state), 'trained.fc.weight');
    expect(Math.max(...trained.map((value, i) => Math.abs(value - start[i]!)))).toBeGreaterThan(1e-3);
    // Of the weights that it began with: those that the teacher's first validation measured.
    const loss = (of: string) => Number(metricsOf(of).find(({ values }) => 'val/loss' in values)!.values['val/loss']);
    expect(loss(dir)).toBeCloseTo(loss(teacherDir), 3);
  });

  test('that starts from another run begins with its weights', async () => {
    const config: TrainingConfig = {
      ...CLASSIFICATION,
      epochs: 1,
      initialisation: { kind: 'run', runId: runId(7) },
      optimizer: { ...CLASSIFICATION.optimizer, learningRate: 1e-12 },
    };
    const file = checkpointsOf(teacherDir)[0]!.files[0]!;
    const { dir } = await run(config, {
      initialisationPath: teacherPath,
      grant: { initialisation: { runId: runId(7), network: 'resnet18_w8', classCount: 3, file } },
    });
    const weightOf = async (path: string) => (await readSafetensors(path)).tensors.get('layer4.1.conv2.weight')!.data;
    const after = checkpointPath(dir, checkpointsOf(dir)[0]!, CHECKPOINT_FILES.model);
    expect(await weightOf(after)).toEqual(await weightOf(teacherPath));
  });

  test('leaves a few unreadable images out, names them in the log and counts them', async () => {
    const folder = join(root, 'spotted');
    await makeImageFolder(folder, { classes: ['a', 'b'], train: 20, val: 20, size: 12 });
    writeFileSync(join(folder, 'train/a/003.png'), 'broken');
    writeFileSync(join(folder, 'val/b/004.png'), 'broken');
    const { dir, outcome } = await run({ ...CLASSIFICATION, batchSize: 40 }, { folder });
    expect(outcome).toBe('succeeded');
    for (const name of ['train/a/003.png', 'val/b/004.png'])
      expect(logOf(dir).filter((line) => line.includes(name))).toHaveLength(1);
    const validations = metricsOf(dir).filter(({ values }) => 'val/top1' in values);
    expect(validations.map(({ values }) => values['data/unreadable_images'])).toEqual([2, 2]);
    // 39 of 40 images were read, so the accuracy is a multiple of 1/39.
    const right = (Number(validations[0]!.values['val/top1']) / 100) * 39;
    expect(right).toBeCloseTo(Math.round(right), 6);
  });
});

describe('an attempt that goes on from a checkpoint', () => {
  test('finds there student, discriminator, both optimisers’ slots, averages, half an update, and where the run stands', async () => {
    const { dir } = await run(WHOLE_RECIPE, { teacherPaths: twoTeachers(), stopAfter: 1 });
    const checkpoint = checkpointsOf(dir)[0]!;
    const read = async (file: string) => (await readSafetensors(checkpointPath(dir, checkpoint, file))).tensors;
    const state = [...(await read(CHECKPOINT_FILES.state)).keys()];
    const holds = (...parts: string[]) => state.some((name) => parts.every((part) => name.includes(part)));
    expect((await read(CHECKPOINT_FILES.model)).has('fc.weight')).toBe(true);
    for (const parts of [
      ['trained.', 'fc.weight'],
      ['discriminator.fc1.weight'],
      ['adamw.', 'network.fc.weight'],
      ['adamw.', 'discriminator.fc1.weight'],
      ['accumulation.', 'network.fc.weight'],
      ['average.'],
    ])
      expect([parts, holds(...parts)]).toEqual([parts, true]);
    // Order, views, mixes, drawn teachers and learning rate follow from seed and step.
    const progress = JSON.parse(readFileSync(checkpointPath(dir, checkpoint, CHECKPOINT_FILES.progress), 'utf8'));
    expect(progress).toMatchObject({ stepsCompleted: 1, epochsValidated: 0, best: null });
  });

  const EPOCHS = 2;
  const numbersOf = (dir: string) =>
    metricsOf(dir).map(({ step, epoch, values }) => [
      step,
      epoch,
      // Without what is measured of the machine. Teachers' time is measured after other steps in a resumed run.
      Object.entries(values).filter(([name]) => !/_ms$|images_per_s$|^memory\//.test(name)),
    ]);
  const lastWeights = (dir: string) =>
    checkpointsOf(dir)
      .at(-1)!
      .files.filter(({ name }) => name !== CHECKPOINT_FILES.progress)
      .map(({ sha256 }) => sha256);

  test.each([
    ['classification', CLASSIFICATION],
    ['distillation', distillation(true, EPOCHS)],
    ['AdamW, averages, three batches to an update, CutMix', WHOLE_RECIPE],
    ['random teachers and every other choice of the method', OTHER_METHOD],
  ] as const)('%s: gives the same numbers and weights, bit for bit, as one never stopped', async (_name, config) => {
    const whole = await run({ ...config, epochs: EPOCHS }, { teacherPaths: twoTeachers() });
    // By the captured graph: one that fell back would say so.
    expect(logOf(whole.dir).filter((line) => line.includes('op by op'))).toEqual([]);
    // After the first step, in the middle of the second epoch, and after the last step, before its validation.
    const stops = [1, STEPS_PER_EPOCH + 4, EPOCHS * STEPS_PER_EPOCH];
    const expected = numbersOf(whole.dir);
    let more: JobParts = {};
    const dirs: string[] = [];
    for (const [i, stopAfter] of [...stops, Number.POSITIVE_INFINITY].entries()) {
      const part = await run({ ...config, epochs: EPOCHS }, { teacherPaths: twoTeachers(), stopAfter, ...more });
      expect(part.outcome).toBe(i < stops.length ? 'interrupted' : 'succeeded');
      dirs.push(part.dir);
      const numbers = numbersOf(part.dir);
      expect(numbers).toEqual(expected.splice(0, numbers.length));
      const checkpoint = checkpointsOf(part.dir).at(-1)!;
      if (i < stops.length) expect(checkpoint).toMatchObject({ stepsCompleted: stops[i], top1: null, isBest: false });
      more = resumeAfter(dirs);
    }
    expect(expected).toEqual([]);
    expect(lastWeights(dirs.at(-1)!)).toEqual(lastWeights(whole.dir));
  });
});

describe('an attempt on a CPU', () => {
  test('that is to run in less precision runs in float32 and says so', async () => {
    const { dir } = await run({ ...CLASSIFICATION, precision: 'float16' }, { stopAfter: 1 });
    expect(logOf(dir).filter((line) => line.includes('runs in float32'))).toEqual([
      'The run asks for float16, but this host computes on a CPU: it runs in float32.',
    ]);
    expect(metricsOf(dir)[0]!.values).toEqual({
      ...metricsOf(teacherDir)[0]!.values,
      'train/images_per_s': expect.any(Number),
      'train/data_wait_ms': expect.any(Number),
    });
  });

  test('records the most memory that it has taken, after every epoch', () => {
    const peaks = metricsOf(teacherDir).flatMap(({ values }) => values['memory/peak_mb'] ?? []);
    expect(peaks).toHaveLength(2);
    expect(peaks[1]).toBeGreaterThanOrEqual(Number(peaks[0]));
  });
});

describe('an attempt that cannot go on gives its code and a sentence', () => {
  async function expectFailure(ended: Promise<unknown>, code: string, message: RegExp) {
    const error = await ended.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).not.toBeNull();
    expect(describeFailure(error)).toEqual({ failureCode: code, message: expect.stringMatching(message) });
  }

  test('for a folder that is no dataset', async () => {
    const folder = join(root, 'nowhere');
    await expectFailure(run(CLASSIFICATION, { folder }), 'dataset_invalid', /nowhere does not exist/);
  });

  test('for a dataset of validation images alone', async () => {
    const folder = join(dataset, 'val');
    await expectFailure(
      run(CLASSIFICATION, { folder }),
      'dataset_invalid',
      /val has validation images alone: .* not to train/,
    );
  });

  test('for a batch that does not fit, before its first step', async () => {
    // What the images may take is left aside; of the rest a step of 36 has 1 MB.
    const freeBytes = () => 256 * 2 ** 20 + 1e6;
    await expectFailure(
      run({ ...CLASSIFICATION, batchSize: 64 }, { freeBytes }),
      'out_of_memory',
      /^A batch of 36 images at 16 pixels does not fit into the 0\.0 GB that are free on this host/,
    );
  });

  test('for weights that are no numbers after a step whose loss was one, without saving them', async () => {
    const { tensors } = await readSafetensors(teacherPath);
    tensors.set('fc.bias', { dtype: 'F32', shape: [3], data: Float32Array.of(5e37, 0, 0) });
    const initialisationPath = join(root, 'huge.safetensors');
    await writeSafetensors(initialisationPath, tensors);
    const config: TrainingConfig = {
      ...CLASSIFICATION,
      initialisation: { kind: 'run', runId: runId(7) },
      optimizer: { ...CLASSIFICATION.optimizer, learningRate: 10, weightDecay: 1 },
    };
    const file = checkpointsOf(teacherDir)[0]!.files[0]!;
    const grant = { initialisation: { runId: runId(7), network: 'resnet18_w8' as const, classCount: 3, file } };
    await expectFailure(
      run(config, { initialisationPath, grant, stopAfter: 1 }),
      'diverged',
      /weight fc\.bias became -Infinity at step 1/,
    );
  });

  test('for too many unreadable images', async () => {
    const folder = join(root, 'broken');
    await makeImageFolder(folder, { classes: ['a', 'b'], train: 10, val: 3, size: 12 });
    for (const name of ['a/000.png', 'b/001.png']) writeFileSync(join(folder, 'train', name), 'broken');
    await expectFailure(
      run({ ...CLASSIFICATION, batchSize: 20 }, { folder }),
      'dataset_invalid',
      /2 of the 20 images in train\/ cannot be read/,
    );
  });

  test('for a teacher of other classes', async () => {
    const teacherPaths = [{ ...teacher(), classCount: 5 }];
    await expectFailure(
      run(distillation(false, 1), { teacherPaths }),
      'weights_missing',
      /The teacher run_0+7 knows 5 classes, but the dataset has 3/,
    );
  });

  test("for a teacher's file that is missing, and for one that lacks a key", async () => {
    const missing = { teacherPaths: [teacher(join(root, 'none.safetensors'))] };
    await expectFailure(run(distillation(false, 1), missing), 'weights_missing', /none\.safetensors/);
    const { tensors } = await readSafetensors(teacherPath);
    tensors.delete('layer1.0.conv1.weight');
    const partial = join(root, 'partial.safetensors');
    await writeSafetensors(partial, tensors);
    await expectFailure(
      run(distillation(false, 1), { teacherPaths: [teacher(partial)] }),
      'weights_missing',
      /partial\.safetensors as resnet18_w8 with 3 classes\..*missing layer1\.0\.conv1\.weight.*Train it again/,
    );
  });

  test('for a checkpoint of another run, and for none', async () => {
    const checkpoint = checkpointsOf(teacherDir)[0]!;
    const grant = { runId: runId(2), attempt: 2, resume: { stepsCompleted: 9, files: checkpoint.files } };
    await expectFailure(
      run(CLASSIFICATION, { resumeDir: checkpointPath(teacherDir, checkpoint), grant }),
      'weights_missing',
      /is not this run's: it belongs to run_0+1\./,
    );
    await expectFailure(run(CLASSIFICATION, { resumeDir: root, grant }), 'weights_missing', /progress\.json/);
  });

  test('for a checkpoint of this run on a dataset that has other images now', async () => {
    const folder = join(root, 'grown');
    await makeImageFolder(folder, { classes: ['a', 'b', 'c'], train: 13, val: 3, size: 12 });
    const checkpoint = checkpointsOf(teacherDir)[0]!;
    const grant = { attempt: 2, resume: { stepsCompleted: 9, files: checkpoint.files } };
    const resumeDir = checkpointPath(teacherDir, checkpoint);
    await expectFailure(
      run(CLASSIFICATION, { folder, resumeDir, grant }),
      'dataset_invalid',
      /has 39 training images, but had 36 when the run began/,
    );
  });
});
