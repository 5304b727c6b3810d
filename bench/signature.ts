/**
 * What the discriminator's loss does in each mode, in real runs against what its mathematics says: on the digits (10 classes, where
 * the discriminator is 10 -> 5 -> 2 -> 2) and on triples of digits (1000 classes: 1000 -> 125 -> 15 -> 2, as in the reference code).
 * Run: `npm run bench:signature [-- --quick]` (`--seeds N`, `--epochs N`, `--only digits|triples`). The last line of the output is JSON.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DiscriminatorOptions } from '@mealtable/protocol/distillation-method';
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import sharp from 'sharp';
import { Attempts, type Played } from '../test/support/attempts.ts';
import { runId } from '../test/support/trainer-process.ts';
import { discriminatorWidths } from '../trainer/distill/discriminator.ts';
import type { TeacherFile } from '../trainer/train/job.ts';

const DIGITS = join(import.meta.dirname, '../trainer/datasets/digits');
const NETWORK = 'resnet18_w8';
/** Images of a class of triples, to train on; there is one more to validate. */
const TRIPLES_PER_CLASS = 1;
/** Numbers of a run's end are means over so many steps. */
const LAST_STEPS = 10;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    seeds: { type: 'string' },
    epochs: { type: 'string' },
    only: { type: 'string' },
  },
});
const seeds = Number(flags.seeds ?? (flags.quick ? 1 : 2));
const epochs = Number(flags.epochs ?? (flags.quick ? 1 : 3));
/** Seeds of which only the first step is run, to see which outputs are dead from the start. */
const firstSteps = flags.quick ? 2 : 6;

interface Mode {
  finalRelu: boolean;
  gradient: NonNullable<DiscriminatorOptions['gradient']>;
  inputs: NonNullable<DiscriminatorOptions['inputs']>;
}
interface Dataset {
  name: string;
  path: string;
  classes: number;
  batchSize: number;
  teacherEpochs: number;
}
interface Row extends Mode {
  dataset: string;
  seed: number;
  startLoss: number;
  endLoss: number;
  /** Percent of the two outputs; null without a last ReLU. */
  deadAtStart: number | null;
  deadAtEnd: number | null;
  accuracy: number;
  limit: number;
  distance: number;
  top1: number;
}

const MODES: Mode[] = [true, false].flatMap((finalRelu) =>
  (['logits', 'probabilities'] as const).flatMap((inputs) =>
    (['cooperative', 'detached', 'reversal'] as const).map((gradient) => ({ finalRelu, gradient, inputs })),
  ),
);

const common = {
  version: 1,
  network: NETWORK,
  inputSize: 16,
  precision: 'float32',
  initialisation: { kind: 'random' },
  optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0, schedule: { kind: 'constant' } },
} as const;

/** Images of three digits, 16 x 16, in the class that they spell, "000" to "999". Always the same ones. */
async function writeTriples(folder: string): Promise<void> {
  const stock = Array.from({ length: 10 }, (_, digit) =>
    readdirSync(join(DIGITS, 'train', String(digit))).map((name) => join(DIGITS, 'train', String(digit), name)),
  );
  const pixels = await Promise.all(
    stock.map((files) => Promise.all(files.map((file) => sharp(file).greyscale().raw().toBuffer()))),
  );
  for (let number = 0; number < 1000; number++) {
    const digits = String(number).padStart(3, '0');
    for (let i = 0; i <= TRIPLES_PER_CLASS; i++) {
      const split = i < TRIPLES_PER_CLASS ? 'train' : 'val';
      mkdirSync(join(folder, split, digits), { recursive: true });
      const image = Buffer.alloc(256);
      for (const [place, digit] of [...digits].entries()) {
        const of = pixels[Number(digit)]!;
        const from = of[(number * 7 + place * 3 + i * 31) % of.length]!;
        for (let y = 0; y < 8; y++) from.copy(image, (8 * (place >> 1) + y) * 16 + 8 * (place & 1), y * 8, y * 8 + 8);
      }
      const file = join(folder, split, digits, `${i}.png`);
      await sharp(image, { raw: { width: 16, height: 16, channels: 1 } })
        .png({ compressionLevel: 1 })
        .toFile(file);
    }
  }
}

/**
 * Where the loss goes. Per output it is binary cross-entropy between two equally likely sides: at best ln 2 less the Jensen-Shannon
 * divergence of the two distributions, 0 where they can be told apart and ln 2 where they cannot. A last ReLU keeps an output from
 * saying "the other side", so that the wrong side's rows cost ln 2 at least: half of it all is left, and all of a dead output's.
 * With reversal the student works against it, towards the point where nothing tells the sides apart.
 */
function limitOf({ finalRelu, gradient }: Mode, deadAtEnd: number | null): number {
  if (gradient === 'reversal') return Math.LN2;
  return finalRelu ? (Math.LN2 / 2) * (1 + deadAtEnd! / 100) : 0;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const series = ({ points }: Played, name: string) => points.flatMap(({ values }) => values[name] ?? []);
const lastOf = (played: Played, name: string) => mean(series(played, name).slice(-LAST_STEPS));
const round = (value: number, digits = 4) => Number(value.toFixed(digits));
const cell = (value: string | number, width: number) => String(value).padEnd(width);

const attempts = await Attempts.open(availableParallelism());

function configOf({ name, batchSize }: Dataset, mode: Mode | null, seed: number): TrainingConfig {
  return {
    ...common,
    task: 'distillation',
    dataset: name,
    batchSize,
    epochs,
    seed,
    teachers: [1, 2].map((n) => ({ kind: 'run', runId: runId(n) })),
    discriminator: mode !== null,
    ...(mode !== null && { discriminatorOptions: mode }),
  };
}

async function runMode(dataset: Dataset, teacherPaths: TeacherFile[], mode: Mode, seed: number): Promise<Row> {
  const played = await attempts.play(dataset.path, configOf(dataset, mode, seed), { teacherPaths });
  const losses = series(played, 'train/discriminator_loss');
  const dead = series(played, 'train/discriminator_dead_outputs');
  const deadAtEnd = dead.at(-1) ?? null;
  const endLoss = mean(losses.slice(-LAST_STEPS));
  const limit = limitOf(mode, deadAtEnd);
  const row: Row = {
    dataset: dataset.name,
    ...mode,
    seed,
    startLoss: round(losses[0]!),
    endLoss: round(endLoss),
    deadAtStart: dead[0] ?? null,
    deadAtEnd,
    accuracy: round(lastOf(played, 'train/discriminator_accuracy'), 1),
    limit: round(limit),
    distance: round(endLoss - limit),
    top1: round(Math.max(...series(played, 'val/top1')), 2),
  };
  printRow(row);
  return row;
}

const WIDTHS = [14, 6, 12, 14, 5, 8, 8, 11, 9, 8, 9, 6];
const print = (cells: (string | number)[]) => console.log(cells.map((value, i) => cell(value, WIDTHS[i]!)).join(' '));
const printRow = (row: Row) =>
  print([
    row.dataset,
    row.finalRelu ? 'on' : 'off',
    row.gradient,
    row.inputs,
    row.seed,
    row.startLoss.toFixed(4),
    row.endLoss.toFixed(4),
    row.deadAtEnd === null ? '-' : `${row.deadAtStart} -> ${row.deadAtEnd}`,
    row.accuracy.toFixed(1),
    row.limit.toFixed(4),
    row.distance.toFixed(4),
    row.top1.toFixed(1),
  ]);

/** Which outputs are dead in the first step, over many seeds, in the reference code's mode. */
async function startsOf(dataset: Dataset, teacherPaths: TeacherFile[]) {
  const counts = { alive: 0, one: 0, both: 0 };
  for (let seed = 0; seed < firstSteps; seed++) {
    const played = await attempts.play(dataset.path, configOf(dataset, MODES[0]!, seed), {
      teacherPaths,
      stopAfter: 1,
    });
    const dead = series(played, 'train/discriminator_dead_outputs')[0];
    counts[dead === 0 ? 'alive' : dead === 50 ? 'one' : 'both']++;
  }
  console.log(
    `${dataset.name}: of ${firstSteps} seeds ${counts.alive} begin with no dead output, ${counts.one} with one, ${counts.both} with both`,
  );
  return { dataset: dataset.name, seeds: firstSteps, ...counts };
}

try {
  const began = performance.now();
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), loadBefore: loadavg()[0]! };
  console.log(`${machine.cpu}, ${machine.cores} cores; ${epochs} epochs, ${seeds} seeds`);
  const triples = join(attempts.root, 'triples');
  await writeTriples(triples);
  const datasets: Dataset[] = [
    { name: 'digits', path: DIGITS, classes: 10, batchSize: 32, teacherEpochs: flags.quick ? 1 : 3 },
    { name: 'triples', path: triples, classes: 1000, batchSize: 32, teacherEpochs: flags.quick ? 1 : 6 },
  ];
  const rows: Row[] = [];
  const starts: Awaited<ReturnType<typeof startsOf>>[] = [];
  for (const dataset of datasets) {
    if (flags.only !== undefined && flags.only !== dataset.name) continue;
    const teachers: TeacherFile[] = [];
    for (const n of [1, 2]) {
      const { name, path, batchSize, teacherEpochs, classes } = dataset;
      const config = { ...common, task: 'classification', dataset: name, batchSize, seed: n } as const;
      teachers.push(await attempts.teach(path, { ...config, epochs: teacherEpochs }, runId(n), classes));
    }
    console.log(`${dataset.name}: discriminator ${discriminatorWidths(dataset.classes).join(' -> ')}`);
    starts.push(await startsOf(dataset, teachers));
    print([
      'dataset',
      'ReLU',
      'gradient',
      'inputs',
      'seed',
      'start',
      'end',
      'dead, %',
      'right, %',
      'limit',
      'distance',
      'top-1',
    ]);
    const off = await attempts.play(dataset.path, configOf(dataset, null, 0), { teacherPaths: teachers });
    print([dataset.name, '', 'none', '', 0, '', '', '', '', '', '', Math.max(...series(off, 'val/top1')).toFixed(1)]);
    for (const mode of MODES)
      for (let seed = 0; seed < seeds; seed++) rows.push(await runMode(dataset, teachers, mode, seed));
  }
  const seconds = round((performance.now() - began) / 1000, 1);
  console.log(JSON.stringify({ bench: 'signature', ...machine, seconds, epochs, seeds, starts, rows }));
} finally {
  await attempts.close();
}
