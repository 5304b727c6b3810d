/**
 * Whole trainer processes on this machine's device, as an agent starts them, on made-up JPEG images: two teachers (the second one with
 * AdamW, CutMix, averaged weights and two batches to an update), MEAL V2 with both and the discriminator, stopped in the middle and
 * gone on with, and the same with cached labels. What a GPU host can do is seen here before it is given studies.
 * Run: `npm run bench:trainer [-- --size 64 --batch 16 --images 256 --precision float32]`. The last line of the output is JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NetworkName } from '@mealtable/protocol/networks';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import {
  ClassificationConfig,
  DistillationConfig,
  Precision,
  type TrainingConfig,
} from '@mealtable/protocol/run-config';
import { bundleTrainer } from '../../test/support/bundle.ts';
import {
  checkpointPath,
  checkpointsOf,
  type JobParts,
  makeAttempt,
  makeJob,
  recordsOf,
  runId,
  TestTrainer,
} from '../../test/support/trainer-process.ts';
import { spreadOf } from '../engine/statistics.ts';
import { makeStripedImages } from './striped-images.ts';

const { values: flags } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet50' },
    teachers: { type: 'string', default: 'resnet50,efficientnet_b0' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '128' },
    images: { type: 'string', default: '2560' },
    epochs: { type: 'string', default: '3' },
    precision: { type: 'string', default: 'bfloat16' },
  },
});
const CLASSES = 64;
const VAL_PER_CLASS = 4;
/** Steps at the beginning of a run in which graphs are made and compiled. */
const WARM_UP_STEPS = 3;
const teachers = flags.teachers
  .split(',')
  .map((name, i) => ({ runId: runId(i + 1), network: NetworkName.parse(name) }));
const [epochs, batchSize] = [Number(flags.epochs), Number(flags.batch)];
const root = mkdtempSync(join(tmpdir(), 'bench-trainer-'));
const programs = await bundleTrainer();
process.env.MEALTABLE_CACHE = join(root, 'cache');

const common = {
  version: 1,
  dataset: 'striped',
  initialisation: { kind: 'random' },
  inputSize: Number(flags.size),
  epochs,
  batchSize,
  seed: 1,
  precision: Precision.parse(flags.precision),
} as const;
const sgd = { learningRate: 0.05, schedule: { kind: 'constant' } } as const;
const adamw = {
  learningRate: 0.001,
  weightDecay: 0.05,
  decayedParameters: 'kernels',
  adamw: {},
  schedule: { kind: 'cosine' },
} as const;
const recipe = { mixing: { kind: 'cutmix' }, ema: { decay: 0.99 }, accumulation: 2 } as const;

interface Result {
  name: string;
  /** From the start of the process to its first step's end, and to its own end. */
  secondsToFirstStep: number;
  seconds: number;
  imagesPerSecond: ReturnType<typeof spreadOf>;
  dataWaitMs: ReturnType<typeof spreadOf>;
  top1: number | null;
  device: string;
}

/** Runs an attempt to its end, or to a SIGTERM at the end of step `stopAt`. Throws with the trainer's own words when it fails. */
async function attempt(name: string, config: TrainingConfig, more: JobParts = {}, stopAt?: number): Promise<Result> {
  const folder = join(root, name);
  makeAttempt(folder, makeJob(config, join(root, 'images'), { threads: availableParallelism(), ...more }));
  const began = Date.now();
  const trainer = new TestTrainer(programs.trainer, folder);
  const hasStep = (step: number) => recordsOf(folder).some((r) => r.kind === 'metrics' && r.step >= step);
  if (stopAt !== undefined) {
    await trainer.until(() => hasStep(stopAt));
    trainer.kill('SIGTERM');
  }
  const { exitCode, stderr } = await trainer.ended;
  const seconds = (Date.now() - began) / 1000;
  if (exitCode !== (stopAt === undefined ? 0 : 75))
    throw new Error(`${name} ended with ${exitCode}: ${stderr.slice(-2000)}`);
  const records = recordsOf(folder);
  const steps = records.flatMap((r) => (r.kind === 'metrics' && 'train/loss' in r.values ? [r] : []));
  const spread = (metric: string) => spreadOf(steps.slice(WARM_UP_STEPS).map(({ values }) => values[metric] as number));
  const top1s = records.flatMap((r) =>
    r.kind === 'metrics' ? ((r.values['val/top1'] as number | undefined) ?? []) : [],
  );
  const started = records.find((r) => r.kind === 'started')!;
  const result: Result = {
    name,
    secondsToFirstStep: (steps[0]!.at - began) / 1000,
    seconds,
    imagesPerSecond: spread('train/images_per_s'),
    dataWaitMs: spread('train/data_wait_ms'),
    top1: top1s.length > 0 ? Math.max(...top1s) : null,
    device: `${started.device}, ${started.backend}`,
  };
  console.log(JSON.stringify(result));
  return result;
}

const newest = (name: string) => checkpointsOf(join(root, name)).at(-1)!;
const pathIn = (name: string, file = '') => checkpointPath(join(root, name), newest(name), file);

try {
  const trainPerClass = Math.ceil(Number(flags.images) / CLASSES);
  await makeStripedImages(join(root, 'images'), { classes: CLASSES, trainPerClass, valPerClass: VAL_PER_CLASS });
  const results: Result[] = [];
  for (const [i, { network }] of teachers.entries()) {
    const own = i === 0 ? { optimizer: sgd } : { optimizer: adamw, ...recipe };
    results.push(
      await attempt(
        `teacher-${i + 1}`,
        ClassificationConfig.parse({ ...common, task: 'classification', network, ...own }),
      ),
    );
  }
  const sources = teachers.map((teacher) => ({ kind: 'run', runId: teacher.runId }));
  const student = {
    ...common,
    task: 'distillation',
    network: flags.network,
    optimizer: sgd,
    teachers: sources,
    discriminator: true,
  };
  const teacherPaths = teachers.map((t, i) => ({
    ...t,
    classCount: CLASSES,
    path: pathIn(`teacher-${i + 1}`, CHECKPOINT_FILES.model),
  }));
  const stepsPerEpoch = Math.floor((trainPerClass * CLASSES) / batchSize);
  const meal = DistillationConfig.parse(student);
  results.push(await attempt('meal-v2-stopped', meal, { teacherPaths }, stepsPerEpoch + 1));
  const { stepsCompleted, files } = newest('meal-v2-stopped');
  const resume = { resumeDir: pathIn('meal-v2-stopped'), grant: { resume: { stepsCompleted, files } } };
  results.push(await attempt('meal-v2-resumed', meal, { teacherPaths, ...resume }));
  const cached = DistillationConfig.parse({ ...student, softLabels: { mode: 'cached', viewsPerImage: 1 } });
  results.push(await attempt('meal-v2-cached', cached, { teacherPaths }));
  console.log(JSON.stringify({ ...flags, results }));
} finally {
  rmSync(root, { recursive: true, force: true });
  await programs.remove();
}
