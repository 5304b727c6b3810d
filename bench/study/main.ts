/**
 * A study's wall time with soft labels out of a cache that its runs share, against teachers asked in every step: the runs of
 * grid.ts, each of them online and then cached, one after the other, every one a trainer process with one thread. The cache is
 * empty at first. With a view for every epoch, which is what is compared, cached runs see as many different crops as online
 * ones, and what is saved is what runs share. After that the cached runs once more with fewer views, so that crops come again
 * and the teachers work less, and for top-1 alone the runs of more seeds, two seeds side by side.
 * Run: `npm run bench:study [-- --quick]` (`--seeds N`, `--epochs N`, `--fewer-views N`). The last line of the output is JSON.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { bundleTrainer } from '../../test/support/bundle.ts';
import type { TeacherFile } from '../../trainer/train/job.ts';
import { CELLS, type Cell, nameOf, type Source, studentConfig, TEACHERS, teacherConfig } from './grid.ts';
import { BAR, compareSameCrops, compareTimes, compareTop1, round, stepCosts } from './report.ts';
import { type Outcome, runTrainer, type Workplace } from './run.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    seeds: { type: 'string' },
    epochs: { type: 'string' },
    'fewer-views': { type: 'string' },
  },
});
const isQuick = flags.quick === true;
const seeds = Number(flags.seeds ?? (isQuick ? 1 : 3));
const epochs = Number(flags.epochs ?? (isQuick ? 1 : 6));
const fewerViews = Number(flags['fewer-views'] ?? Math.floor(epochs / 3));
/** A quick study has one size. */
const cells = CELLS.filter(({ inputSize }) => !isQuick || inputSize === CELLS[0]!.inputSize);
const LANES = 2;

const programs = await bundleTrainer();
const place: Workplace = { program: programs.trainer, root: mkdtempSync(join(tmpdir(), 'bench-study-')) };
process.on('exit', () => rmSync(place.root, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const began = performance.now();

function say(line: string): void {
  console.log(`[${((performance.now() - began) / 1000).toFixed(0)} s, load ${loadavg()[0]!.toFixed(1)}] ${line}`);
}

async function trainTeacher({ id, network }: (typeof TEACHERS)[number]): Promise<TeacherFile> {
  const { top1, seconds } = await runTrainer(place, id, teacherConfig(network, epochs), [], true);
  say(`${network}: top-1 ${top1.toFixed(1)} %, trained in ${seconds.toFixed(0)} s`);
  const checkpoints = join(place.root, id, 'checkpoints');
  const newest = readdirSync(checkpoints).sort().at(-1)!;
  return { runId: id, network, classCount: 10, path: join(checkpoints, newest, CHECKPOINT_FILES.model) };
}

let runs = 0;
async function runCell(files: TeacherFile[], cell: Cell, seed: number, source: Source): Promise<Outcome> {
  const given = cell.ensemble.map((t) => files[t]!);
  return runTrainer(place, `run-${++runs}`, studentConfig(cell, seed, epochs, source), given);
}

async function runSeed(files: TeacherFile[], seed: number): Promise<{ online: Outcome[]; cached: Outcome[] }> {
  const [online, cached]: [Outcome[], Outcome[]] = [[], []];
  for (const cell of cells) {
    const asked = await runCell(files, cell, seed, 'online');
    const shared = await runCell(files, cell, seed, { viewsPerImage: epochs, augmentationSeed: 0 });
    const told = ({ seconds, top1 }: Outcome) => `${seconds.toFixed(1)} s, top-1 ${top1.toFixed(2)} %`;
    say(`${nameOf(cell)}, seed ${seed}: online ${told(asked)}; cached ${told(shared)}`);
    online.push(asked);
    cached.push(shared);
  }
  return { online, cached };
}

/** Cached runs that see every crop `epochs / fewerViews` times. With another augmentation seed their cache is empty at first, too. */
async function runFewerViews(files: TeacherFile[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const source: Source = { viewsPerImage: fewerViews, augmentationSeed: 1 };
  for (const cell of cells) outcomes.push(await runCell(files, cell, 0, source));
  return outcomes;
}

/** The remaining seeds, some at a time: their times say nothing. */
async function runMoreSeeds(files: TeacherFile[]): Promise<Awaited<ReturnType<typeof runSeed>>[]> {
  const results: Awaited<ReturnType<typeof runSeed>>[] = [];
  let next = 1;
  const lane = async () => {
    for (let seed = next++; seed < seeds; seed = next++) results[seed - 1] = await runSeed(files, seed);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

try {
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), loadBefore: round(loadavg()[0]!) };
  say(`${machine.cpu}, ${machine.cores} cores; ${cells.length} runs of ${epochs} epochs, ${seeds} seeds`);
  const files = await Promise.all(TEACHERS.map(trainTeacher));
  const first = await runSeed(files, 0);
  const loadDuring = round(loadavg()[1]!);
  const study = compareTimes(first.online, first.cached);
  say(
    `Teachers asked in every step ${study.onlineSeconds} s, labels shared ${study.cachedSeconds} s: ${study.ratio} times as fast (processor time ${study.cpuRatio} times)`,
  );
  const fewer = fewerViews > 0 && fewerViews < epochs ? await runFewerViews(files) : null;
  const rest = await runMoreSeeds(files);
  const report = {
    bench: 'study',
    ...machine,
    loadDuring,
    runs: cells.length,
    epochs,
    viewsPerImage: epochs,
    seeds,
    costs: stepCosts(cells, first.cached),
    ...study,
    bar: BAR,
    passes: study.ratio! >= BAR,
    sameCrops: compareSameCrops(first.online, first.cached),
    fewerViews: fewer && {
      viewsPerImage: fewerViews,
      ...compareTimes(first.online, fewer),
      top1: compareTop1(cells, [first.online], [fewer]).cached.mean,
    },
    top1: compareTop1(
      cells,
      [first, ...rest].map(({ online }) => online),
      [first, ...rest].map(({ cached }) => cached),
    ),
  };
  console.log(JSON.stringify(report));
} finally {
  await programs.remove();
}
