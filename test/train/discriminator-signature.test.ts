/**
 * What the discriminator's loss does in a real run. Per output and row it is softplus(-z) on the rows that the output stands for and
 * softplus(z) on the others, with z >= 0 behind the last ReLU: at best 0 and ln 2, so that half of the loss of chance is left.
 */
import { join } from 'node:path';
import type { DistillationConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { warnOfDeadDiscriminator } from '../../trainer/train/dead-discriminator.ts';
import type { TeacherFile } from '../../trainer/train/job.ts';
import { Attempts, type Played } from '../support/attempts.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import { CLASSIFICATION, runId } from '../support/trainer-process.ts';

await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

/** The discriminator is 10 -> 5 -> 2 -> 2. */
const CLASSES = Array.from({ length: 10 }, (_, i) => `c${i}`);
const STEPS_PER_EPOCH = 20;

let attempts: Attempts;
let dataset: string;
let teacher: TeacherFile;

beforeAll(async () => {
  attempts = await Attempts.open(1);
  dataset = join(attempts.root, 'dataset');
  await makeImageFolder(dataset, { classes: CLASSES, train: 16, val: 1, size: 12 });
  const config = { ...CLASSIFICATION, batchSize: 8, epochs: 2, seed: 7 };
  teacher = await attempts.teach(dataset, config, runId(7), CLASSES.length);
});
afterAll(() => attempts.close());

const config = (seed: number, epochs: number, more: Partial<DistillationConfig> = {}): DistillationConfig => ({
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [{ kind: 'run', runId: runId(7) }],
  discriminator: true,
  batchSize: 8,
  optimizer: { ...CLASSIFICATION.optimizer, learningRate: 0.1 },
  seed,
  epochs,
  ...more,
});
const play = (of: DistillationConfig) => attempts.play(dataset, of, { teacherPaths: [teacher] });
const series = ({ points }: Played, name: string) => points.flatMap(({ values }) => values[`train/${name}`] ?? []);

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
/** Two outputs at 0 in this discriminator's first step, and none. */
const [DEAD_SEED, LIVING_SEED] = [2, 0];

test('falls to half of ln 2 where no output is dead: each side’s own output grows, the other side’s rests at 0', async () => {
  const played = await play(config(LIVING_SEED, 8));
  const losses = series(played, 'discriminator_loss');
  const end = mean(losses.slice(-STEPS_PER_EPOCH));
  expect(losses[0]).toBeGreaterThan(0.65);
  // Rows on the right side cost next to nothing, those on the wrong one ln 2 for ever.
  expect(Math.min(...losses)).toBeGreaterThanOrEqual(Math.LN2 / 2);
  expect(end).toBeLessThan(Math.LN2 / 2 + 0.05);
  expect(series(played, 'discriminator_dead_outputs').at(-1)).toBe(0);
  expect(series(played, 'discriminator_accuracy').at(-1)).toBe(100);
  expect(played.warnings).toEqual([]);
}, 120_000);

describe('a seed that leaves both outputs at 0', () => {
  let dead: Played;
  beforeAll(async () => {
    dead = await play(config(DEAD_SEED, 1));
  });

  test('stays at ln 2: of a 0 it is ln 2 whatever the row, and a ReLU at 0 passes no gradient that could change it', () => {
    for (const loss of series(dead, 'discriminator_loss')) expect(loss).toBeCloseTo(Math.LN2, 6);
    expect(new Set(series(dead, 'discriminator_dead_outputs'))).toEqual(new Set([100]));
    expect(new Set(series(dead, 'discriminator_accuracy'))).toEqual(new Set([50]));
  });

  test('is told, and is the run without discriminator to the bit, for nothing reaches the student either', async () => {
    expect(dead.warnings).toEqual([expect.stringMatching(/^The discriminator learns nothing with this seed: /)]);
    const without = await play(config(DEAD_SEED, 1, { discriminator: false }));
    expect(without.warnings).toEqual([]);
    expect(series(without, 'similarity_loss')).toHaveLength(STEPS_PER_EPOCH);
    expect(series(dead, 'similarity_loss')).toEqual(series(without, 'similarity_loss'));
  });

  test('learns without its last ReLU, and has no dead outputs to tell of', async () => {
    const free = await play(config(DEAD_SEED, 1, { discriminatorOptions: { finalRelu: false } }));
    const losses = series(free, 'discriminator_loss');
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
    expect(new Set(losses).size).toBe(STEPS_PER_EPOCH);
    expect(series(free, 'discriminator_dead_outputs')).toEqual([]);
    expect(free.warnings).toEqual([]);
  });
});

describe('the warning', () => {
  /** What an attempt is told after the points, each an epoch and a share of dead outputs, or null for a validation. */
  function warningsAfter(points: [epoch: number, dead: number | null][]): number {
    let warnings = 0;
    const records = warnOfDeadDiscriminator({ write: () => 0, log: () => ++warnings });
    for (const [epoch, dead] of points)
      records.write({
        kind: 'metrics',
        step: Math.ceil(epoch * STEPS_PER_EPOCH),
        epoch,
        values: dead === null ? { 'val/top1': 1 } : { 'train/discriminator_dead_outputs': dead },
      });
    return warnings;
  }

  test('comes when both outputs were dead in all steps of the first epoch, and not again', () => {
    expect(
      warningsAfter([
        [0.5, 100],
        [1, 100],
        [1, null],
        [2, 100],
        [2, null],
      ]),
    ).toBe(1);
  });
  test('does not come when one of them was alive in a step, nor without a discriminator', () => {
    expect(
      warningsAfter([
        [0.5, 50],
        [1, 100],
        [1, null],
      ]),
    ).toBe(0);
    expect(
      warningsAfter([
        [1, null],
        [2, null],
      ]),
    ).toBe(0);
  });
  test('does not come of later epochs alone', () => {
    expect(
      warningsAfter([
        [2, 100],
        [2, null],
      ]),
    ).toBe(0);
  });
});
