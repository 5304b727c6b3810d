/** What the runs of a measured study say, as the numbers of its report. */
import { spreadOf } from '../engine/statistics.ts';
import { type Cell, TEACHERS } from './grid.ts';
import type { Outcome } from './run.ts';

/** How many times as fast the shared cache makes the study, at least. */
export const BAR = 2.5;

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
export const round = (value: number | null, digits = 2) => (value === null ? null : Number(value.toFixed(digits)));

/** Sample standard deviation; null of one value. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

const describe = (values: readonly number[]) => ({
  mean: round(mean(values)),
  deviation: round(deviation(values)),
  values: values.map((value) => round(value)),
});

const sum = (values: readonly (number | null)[]): number | null =>
  values.reduce<number | null>((total, value) => (total === null || value === null ? null : total + value), 0);

/** Wall and processor time of the same runs with and without the cache. */
export function compareTimes(online: readonly Outcome[], cached: readonly Outcome[]) {
  const [asked, shared] = [online, cached].map((runs) => ({
    seconds: sum(runs.map(({ seconds }) => seconds))!,
    cpuSeconds: sum(runs.map(({ cpuSeconds }) => cpuSeconds)),
  })) as [Pick<Outcome, 'seconds' | 'cpuSeconds'>, Pick<Outcome, 'seconds' | 'cpuSeconds'>];
  const isCpuKnown = asked.cpuSeconds !== null && shared.cpuSeconds !== null;
  return {
    onlineSeconds: round(asked.seconds, 1),
    cachedSeconds: round(shared.seconds, 1),
    ratio: round(asked.seconds / shared.seconds),
    onlineCpuSeconds: round(asked.cpuSeconds, 1),
    cachedCpuSeconds: round(shared.cpuSeconds, 1),
    cpuRatio: isCpuKnown ? round(asked.cpuSeconds! / shared.cpuSeconds!) : null,
  };
}

/**
 * What each teacher costs beside the student: medians over the steps of the runs that had one teacher and computed all of a
 * batch's labels. The ratio is that of the two parts of the same step, so what slows the machine slows both.
 */
export function stepCosts(cells: readonly Cell[], cached: readonly Outcome[]) {
  const teachers = TEACHERS.map(({ network }, t) => {
    const isAlone = (cell: Cell) => cell.ensemble.length === 1 && cell.ensemble[0] === t;
    const steps = cached
      .filter((_, i) => isAlone(cells[i]!))
      // A run's first step makes its graphs.
      .flatMap(({ metrics }) => metrics.filter((m) => 'train/student_ms' in m).slice(1))
      .filter((m) => m['labels/hit_rate'] === 0);
    const median = (of: (m: Record<string, number>) => number) => spreadOf(steps.map(of)).median;
    return {
      network,
      steps: steps.length,
      teacherMs: round(median((m) => m['train/teacher_ms']!)),
      studentMs: round(median((m) => m['train/student_ms']!)),
      teacherToStudent: round(median((m) => m['train/teacher_ms']! / m['train/student_ms']!)),
    };
  });
  return { teachers, bothToStudent: round(teachers.reduce((total, t) => total + t.teacherToStudent!, 0)) };
}

/** Top-1 of both ways, over the grid for every seed and in every cell. Outcomes are [seed][cell]. */
export function compareTop1(cells: readonly Cell[], online: readonly Outcome[][], cached: readonly Outcome[][]) {
  const perSeed = (seeds: readonly Outcome[][]) => seeds.map((runs) => mean(runs.map(({ top1 }) => top1)));
  const [asked, shared] = [perSeed(online), perSeed(cached)];
  const spreads = [asked, shared].map(deviation);
  const spread = spreads.includes(null) ? null : Math.max(...(spreads as number[]));
  const difference = mean(shared) - mean(asked);
  return {
    online: describe(asked),
    cached: describe(shared),
    difference: round(difference),
    spread: round(spread),
    withinSpread: spread === null ? null : Math.abs(difference) <= spread,
    cells: cells.map(({ ensemble, discriminator, inputSize }, i) => ({
      teachers: ensemble.map((t) => TEACHERS[t]!.network),
      discriminator,
      inputSize,
      online: describe(online.map((runs) => runs[i]!.top1)),
      cached: describe(cached.map((runs) => runs[i]!.top1)),
    })),
  };
}

/**
 * Runs on the same crops, weights and order, once asked and once cached: the first loss differs by the labels' rounding to
 * float16 alone; what becomes of that over a run shows in top-1.
 */
export function compareSameCrops(online: readonly Outcome[], cached: readonly Outcome[]) {
  const first = ({ metrics }: Outcome) => metrics[0]!['train/similarity_loss']!;
  const losses = online.map((run, i) => Math.abs(first(cached[i]!) / first(run) - 1));
  const top1 = online.map((run, i) => cached[i]!.top1 - run.top1);
  return {
    firstLossRelativeDifference: Number(Math.max(...losses).toExponential(1)),
    top1Difference: { mean: round(mean(top1)), largest: round(Math.max(...top1.map(Math.abs))) },
  };
}
