/**
 * A study's wall time with soft labels out of a cache that its runs share, against teachers asked in every step: 12 runs, {T1, T2,
 * T1 + T2} x {discriminator off, on} x {two sizes}, on the digits, each of them online and then cached, in one process and in turn.
 * The first seed's 12 runs, whose cache begins empty, are compared by time; more seeds show how far top-1 varies by itself.
 * Run: `npm run bench:study [-- --quick]` (`--seeds N`, `--epochs N`, `--views N`). The last line of the output is JSON.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { DistillationConfig, TrainingConfig } from '@mealtable/protocol/run-config';
import { bundleTrainer } from '../test/support/bundle.ts';
import { makeJob, runId } from '../test/support/trainer-process.ts';
import type { TeacherFile } from '../trainer/train/job.ts';
import { runAttempt } from '../trainer/train/run-attempt.ts';

/** How many times as fast the shared cache makes the study, at least. */
const BAR = 2.5;
const SIZES = [28, 30];
const STUDENT = 'resnet18_w8';
const TEACHERS = [
  { id: runId(1), network: 'resnet34' },
  { id: runId(2), network: 'resnet50' },
] as const;
/** By their places among TEACHERS. */
const ENSEMBLES = [[0], [1], [0, 1]];
const DATASET = join(import.meta.dirname, '../trainer/datasets/digits');

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    seeds: { type: 'string' },
    epochs: { type: 'string' },
    views: { type: 'string' },
  },
});
const seeds = Number(flags.seeds ?? (flags.quick ? 1 : 3));
const epochs = Number(flags.epochs ?? (flags.quick ? 2 : 8));
/** Unless given every crop is used four times (twice with two epochs), so a run on its own asks the teachers less often too. */
const viewsPerImage = Number(flags.views ?? Math.max(1, Math.floor(epochs / 4)));

interface Cell {
  ensemble: number[];
  discriminator: boolean;
  inputSize: number;
}
interface Outcome {
  seconds: number;
  /** Of the best epoch, in percent. */
  top1: number;
  /** Of every step. */
  metrics: Record<string, number>[];
}

const cells: Cell[] = SIZES.flatMap((inputSize) =>
  ENSEMBLES.flatMap((ensemble) => [false, true].map((discriminator) => ({ ensemble, discriminator, inputSize }))),
);
const common = { version: 1, dataset: 'digits', epochs, batchSize: 32, precision: 'float32' } as const;
const optimizer: TrainingConfig['optimizer'] = {
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: 'cosine', warmupEpochs: Math.min(1, epochs - 1) },
};
const root = mkdtempSync(join(tmpdir(), 'bench-study-'));
const programs = await bundleTrainer();
let attempts = 0;

async function run(config: TrainingConfig, teacherPaths: TeacherFile[], folder: string): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  const metrics: Outcome['metrics'] = [];
  const began = performance.now();
  await runAttempt({
    attemptDir: folder,
    job: makeJob(config, DATASET, { teacherPaths, threads: availableParallelism() }),
    records: {
      write: (body) => (body.kind === 'metrics' ? metrics.push(body.values as Record<string, number>) : 0),
      log: (level, line) => {
        if (level === 'warning') console.log(line);
        return 0;
      },
    },
    imageWorkerUrl: programs.imageWorkerUrl,
    shouldStop: () => false,
    labelsFolder: join(root, 'labels'),
  });
  const seconds = (performance.now() - began) / 1000;
  return { seconds, metrics, top1: Math.max(...metrics.flatMap((values) => values['val/top1'] ?? [])) };
}

/** One attempt whose files nobody needs afterwards. */
async function runStudent(config: TrainingConfig, teacherPaths: TeacherFile[]): Promise<Outcome> {
  const folder = join(root, `run-${++attempts}`);
  const outcome = await run(config, teacherPaths, folder);
  rmSync(folder, { recursive: true });
  return outcome;
}

async function trainTeacher({ id, network }: (typeof TEACHERS)[number]): Promise<TeacherFile> {
  const folder = join(root, id);
  const initialisation = { kind: 'random' } as const;
  const config = { ...common, task: 'classification', network, initialisation, inputSize: SIZES[0]!, seed: 1 } as const;
  // Wide networks: a lower rate than the student's.
  const { top1, seconds } = await run({ ...config, optimizer: { ...optimizer, learningRate: 0.05 } }, [], folder);
  console.log(`${network}: top-1 ${top1.toFixed(1)} %, trained in ${seconds.toFixed(0)} s`);
  const checkpoints = join(folder, 'checkpoints');
  const newest = readdirSync(checkpoints).sort().at(-1)!;
  return { runId: id, network, classCount: 10, path: join(checkpoints, newest, CHECKPOINT_FILES.model) };
}

function configOf({ ensemble, discriminator, inputSize }: Cell, seed: number, isCached: boolean): DistillationConfig {
  return {
    ...common,
    task: 'distillation',
    network: STUDENT,
    initialisation: { kind: 'random' },
    optimizer,
    inputSize,
    seed,
    discriminator,
    teachers: ensemble.map((t) => ({ kind: 'run', runId: TEACHERS[t]!.id })),
    softLabels: isCached
      ? { mode: 'cached', viewsPerImage, augmentationSeed: 0, keep: 'full', logits: true }
      : { mode: 'online' },
  };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
/** Sample standard deviation; null of one value. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
const round = (value: number | null, digits = 2) => (value === null ? null : Number(value.toFixed(digits)));
const describe = (values: number[]) => ({ mean: round(mean(values)), deviation: round(deviation(values)), values });
/** Milliseconds of a step in which the labels of one teacher were computed: the first run of a size that has it alone. */
const millisecondsOf = (runs: Outcome[], name: string) =>
  mean(runs.flatMap(({ metrics }) => metrics.flatMap((m) => (m['labels/hit_rate'] === 0 ? [m[name]!] : [])).slice(2)));

try {
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), loadBefore: loadavg()[0]! };
  console.log(
    `${machine.cpu}, ${machine.cores} cores; ${epochs} epochs, ${viewsPerImage} views per image, ${seeds} seeds`,
  );
  const files: TeacherFile[] = [];
  for (const teacher of TEACHERS) files.push(await trainTeacher(teacher));
  const online: Outcome[][] = cells.map(() => []);
  const cached: Outcome[][] = cells.map(() => []);
  for (let seed = 0; seed < seeds; seed++) {
    for (const [i, cell] of cells.entries()) {
      const given = cell.ensemble.map((t) => files[t]!);
      online[i]!.push(await runStudent(configOf(cell, seed, false), given));
      cached[i]!.push(await runStudent(configOf(cell, seed, true), given));
      const [a, b] = [online[i]!.at(-1)!, cached[i]!.at(-1)!];
      const name = `T${cell.ensemble.map((t) => t + 1).join(' + T')}, discriminator ${cell.discriminator ? 'on' : 'off'}, ${cell.inputSize} pixels, seed ${seed}`;
      console.log(
        `${name}: online ${a.seconds.toFixed(1)} s, top-1 ${a.top1.toFixed(2)} %; cached ${b.seconds.toFixed(1)} s, top-1 ${b.top1.toFixed(2)} %`,
      );
    }
  }
  const secondsOf = (runs: Outcome[][], count: number) =>
    runs.flatMap((ofCell) => ofCell.slice(0, count)).reduce((sum, { seconds }) => sum + seconds, 0);
  const comparison = (count: number) => {
    const [asked, shared] = [secondsOf(online, count), secondsOf(cached, count)];
    return { onlineSeconds: round(asked), cachedSeconds: round(shared), ratio: round(asked / shared) };
  };
  const first = cells.flatMap(({ ensemble, discriminator }, i) =>
    ensemble.length === 1 && !discriminator ? [cached[i]![0]!] : [],
  );
  const teacherMs = ENSEMBLES.slice(0, 2).map((_, t) =>
    millisecondsOf(
      first.filter((__, i) => i % 2 === t),
      'train/teacher_ms',
    ),
  );
  const studentMs = millisecondsOf(first, 'train/student_ms');
  const perSeed = (runs: Outcome[][]) =>
    Array.from({ length: seeds }, (_, seed) => round(mean(runs.map((ofCell) => ofCell[seed]!.top1)))!);
  const [onlineTop1, cachedTop1] = [perSeed(online), perSeed(cached)];
  const spread = Math.max(deviation(onlineTop1) ?? 0, deviation(cachedTop1) ?? 0);
  const study = comparison(1);
  const report = {
    bench: 'study',
    ...machine,
    epochs,
    viewsPerImage,
    seeds,
    costs: {
      teacherMs: teacherMs.map((ms) => round(ms)),
      studentMs: round(studentMs),
      teachersToStudent: round((teacherMs[0]! + teacherMs[1]!) / studentMs),
    },
    runs: cells.length,
    ...study,
    allSeeds: comparison(seeds),
    bar: BAR,
    passes: study.ratio! >= BAR,
    top1: {
      online: describe(onlineTop1),
      cached: describe(cachedTop1),
      withinSpread: seeds < 2 ? null : Math.abs(mean(onlineTop1) - mean(cachedTop1)) <= spread,
    },
    cells: cells.map((cell, i) => ({
      teachers: cell.ensemble.map((t) => TEACHERS[t]!.network),
      discriminator: cell.discriminator,
      inputSize: cell.inputSize,
      online: describe(online[i]!.map(({ top1 }) => round(top1)!)),
      cached: describe(cached[i]!.map(({ top1 }) => round(top1)!)),
    })),
  };
  console.log(JSON.stringify(report));
} finally {
  await programs.remove();
  rmSync(root, { recursive: true });
}
