import { ClassificationConfig, type TrainingConfig } from '@mealtable/protocol/run-config';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../trainer/data/loader.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { Progress } from '../../trainer/train/checkpoint.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import type { RecordBody } from '../../trainer/train/record-writer.ts';
import { StepRunner } from '../../trainer/train/step-runner.ts';
import { type LoopContext, runTraining } from '../../trainer/train/training-loop.ts';
import { createLinearNetwork } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const STEPS_PER_EPOCH = 4;
const CHECKPOINT = (n: number) => `ckp_${String(n).padStart(22, '0')}`;
const FRESH: Progress = {
  version: 1,
  runId: `run_${'0'.repeat(22)}`,
  network: 'resnet18_w8',
  classCount: 3,
  trainImages: 8,
  stepsCompleted: 0,
  epochsValidated: 0,
  best: null,
  backend: 'test',
};

function makeConfig(epochs: number, optimizer: Partial<TrainingConfig['optimizer']> = {}): TrainingConfig {
  return ClassificationConfig.parse({
    task: 'classification',
    version: 1,
    dataset: 'x',
    network: 'resnet18_w8',
    initialisation: { kind: 'random' },
    inputSize: 16,
    epochs,
    batchSize: 2,
    seed: 1,
    optimizer: { learningRate: 0.1, ...optimizer },
  });
}

/** Images of one colour each. */
function batchOf(step: number): Batch {
  const pixels = Uint8Array.of((step % 2) * 255, 255, 0, 0, 255, 255);
  return { pixels, labels: Int32Array.of(step % 3, 1), size: 2 };
}

interface Played {
  outcome: string | Error;
  /** What happened, in order: recorded metrics by section, logs left out. */
  events: string[];
  records: RecordBody[];
  saved: { id: string; progress: Progress; top1: number | null; isBest: boolean }[];
}

interface Play {
  epochs?: number;
  stepsPerEpoch?: number;
  from?: Progress;
  accuracies?: number[];
  /** Stop is asked for when so many steps or validations have begun. */
  stopAfter?: number;
  wantsCheckpoint?: boolean;
  /** The weights are no numbers any more from this step on (0-based). */
  brokenAt?: number;
  optimizer?: Partial<TrainingConfig['optimizer']>;
  validationLoss?: number;
  onStep?: (step: number) => void;
  /** By the test's clock. */
  stepMs?: number;
}

async function play(options: Play): Promise<Played> {
  const { epochs = 2, from = FRESH, accuracies = [], stepsPerEpoch = STEPS_PER_EPOCH } = options;
  const task = createClassificationTask(
    createLinearNetwork([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]),
    { momentum: 0, weightDecay: 0 },
  );
  const onFallback = (reason: string) => expect.unreachable(reason);
  const steps = new StepRunner(task, { precision: 'float32', cache: null, stagesInputs: false, onFallback });
  const played: Played = { outcome: '', events: [], records: [], saved: [] };
  let begun = 0;
  let taken = 0;
  let validations = from.epochsValidated;
  const shouldStop = () => begun >= (options.stopAfter ?? Number.POSITIVE_INFINITY);
  const context: LoopContext = {
    config: makeConfig(epochs, options.optimizer),
    steps: {
      stagesInputs: false,
      // An update by no number breaks the weights for the step after it.
      prepare: (batch, rate, step) => steps.prepare(batch, taken + 1 === options.brokenAt ? Number.NaN : rate, step),
      run: (inputs, next) => steps.run(inputs, next),
    },
    training: {
      stepsPerEpoch,
      start: () => {},
      peek: async (step) => batchOf(step),
      take: async (step) => {
        begun++;
        taken = step;
        options.onStep?.(step);
        return batchOf(step);
      },
    },
    validate: async () => {
      begun++;
      if (shouldStop()) return null;
      return { top1: accuracies[validations++] ?? 50, top5: 90, loss: options.validationLoss ?? 1 };
    },
    peakMemory: async () => ({ 'memory/peak_mb': 100 }),
    unreadableCount: () => 0,
    records: {
      write: (body) => {
        played.records.push(body);
        if (body.kind === 'metrics') played.events.push(`${Object.keys(body.values)[0]!.split('/')[0]} ${body.step}`);
        return played.records.length;
      },
      log: () => 0,
    },
    saveCheckpoint: async (id, progress, top1, isBest) => {
      played.events.push(`save ${progress.stepsCompleted}`);
      played.saved.push({ id, progress, top1, isBest });
    },
    newCheckpointId: () => CHECKPOINT(played.saved.length + 1),
    shouldStop,
    wantsCheckpoint: () => options.wantsCheckpoint ?? true,
    now: () => begun * (options.stepMs ?? 10),
  };
  try {
    played.outcome = await runTraining(context, from);
  } catch (error) {
    played.outcome = error as Error;
  }
  steps.dispose();
  task.dispose();
  return played;
}

const metrics = ({ records }: Played) => records.filter((r) => r.kind === 'metrics');

describe('a whole run', () => {
  test('records every step, then after each epoch its validation and its checkpoint', async () => {
    const played = await play({});
    expect(played.outcome).toBe('succeeded');
    const epoch = (n: number) =>
      [1, 2, 3, 4].map((i) => `train ${4 * (n - 1) + i}`).concat(`val ${4 * n}`, `save ${4 * n}`);
    expect(played.events).toEqual([...epoch(1), ...epoch(2)]);
    expect(Object.keys(metrics(played)[0]!.values)).toEqual([
      'train/loss',
      'train/hard_label_loss',
      'train/top1',
      'train/learning_rate',
      'train/images_per_s',
      'train/data_wait_ms',
    ]);
    expect(metrics(played)[2]).toMatchObject({ step: 3, epoch: 0.75 });
    expect(metrics(played)[4]).toMatchObject({
      step: 4,
      epoch: 1,
      values: { 'val/top1': 50, 'val/top5': 90, 'val/loss': 1, 'memory/peak_mb': 100 },
    });
  });

  test('of 2,000 steps gives 1,000 points', async () => {
    const played = await play({ stepsPerEpoch: 1000 });
    expect(played.events.filter((e) => e.startsWith('train'))).toHaveLength(1000);
    expect(played.events[0]).toBe('train 2');
  });

  test('whose steps are slow is never silent for long', async () => {
    const played = await play({ stepsPerEpoch: 1500, epochs: 2, stopAfter: 8, stepMs: 100_000 });
    // Every third step by count; the clock adds every second one.
    expect(played.events.filter((e) => e.startsWith('train'))).toEqual([
      'train 2',
      'train 3',
      'train 5',
      'train 6',
      'train 8',
    ]);
  });

  test('keeps the earlier of two equally good epochs as the best', async () => {
    const { saved } = await play({ epochs: 4, accuracies: [40, 60, 60, 50] });
    expect(saved.map(({ isBest }) => isBest)).toEqual([true, true, false, false]);
    expect(saved.map(({ top1 }) => top1)).toEqual([40, 60, 60, 50]);
    expect(saved[3]!.progress.best).toEqual({ top1: 60, epoch: 2, checkpointId: CHECKPOINT(2) });
  });

  test('follows the schedule from epoch to epoch', async () => {
    const played = await play({ optimizer: { schedule: { kind: 'step', dropAtEpochs: [1], factor: 0.1 } } });
    const rates = metrics(played).flatMap(({ values }) => values['train/learning_rate'] ?? []);
    expect(rates.map((rate) => rate.toFixed(4))).toEqual([...Array(4).fill('0.1000'), ...Array(4).fill('0.0100')]);
  });
});

describe('1,000 steps', () => {
  test('leave no tensor behind, and the process no larger', async () => {
    const tensors: number[] = [];
    const bytes: number[] = [];
    await play({
      stepsPerEpoch: 1000,
      epochs: 1,
      onStep: (step) => {
        tensors.push(tf.memory().numTensors);
        if (step % 100 === 0) bytes.push(process.memoryUsage.rss());
      },
    });
    expect(tensors).toHaveLength(1000);
    expect(new Set(tensors).size).toBe(1);
    // The first third is JavaScript's heap growing to its size; after it, 64 kB lost in every step would show.
    expect(bytes.at(-1)! - bytes[3]!).toBeLessThan(600 * 64e3);
  });
});

describe('a stop', () => {
  test('in an epoch saves the step reached, as neither validated nor best', async () => {
    const { outcome, saved, events } = await play({ stopAfter: 3 });
    expect(outcome).toBe('interrupted');
    expect(events).toEqual(['train 1', 'train 2', 'train 3', 'save 3']);
    expect(saved[0]).toMatchObject({ top1: null, isBest: false, progress: { stepsCompleted: 3, epochsValidated: 0 } });
  });

  test('in a validation saves the epoch as not validated; going on begins with the validation', async () => {
    const first = await play({ stopAfter: 5 });
    expect(first.events.slice(-2)).toEqual(['train 4', 'save 4']);
    expect(first.saved[0]!.progress).toMatchObject({ stepsCompleted: 4, epochsValidated: 0 });
    const second = await play({ from: first.saved[0]!.progress });
    expect(second.events.slice(0, 3)).toEqual(['val 4', 'save 4', 'train 5']);
    expect(second.outcome).toBe('succeeded');
  });

  test('before anything was done saves nothing', async () => {
    expect(await play({ stopAfter: 0 })).toMatchObject({ outcome: 'interrupted', saved: [] });
    const done = { ...FRESH, stepsCompleted: 4, epochsValidated: 1 };
    expect(await play({ stopAfter: 0, from: done })).toMatchObject({ outcome: 'interrupted', saved: [] });
  });

  test('of a cancelled run saves nothing', async () => {
    expect(await play({ stopAfter: 3, wantsCheckpoint: false })).toMatchObject({ outcome: 'interrupted', saved: [] });
  });
});

describe('a loss that is no number', () => {
  test('ends the run as diverged; the last healthy checkpoint is the last one', async () => {
    const { outcome, saved, events } = await play({ brokenAt: 5 });
    expect(outcome).toMatchObject({ failureCode: 'diverged', message: expect.stringMatching(/became NaN at step 6/) });
    expect(events.slice(-2)).toEqual(['train 5', 'train 6']);
    expect(saved).toHaveLength(1);
  });

  test('is noticed before a checkpoint also when steps are not all recorded', async () => {
    const { outcome, saved } = await play({ epochs: 7, stepsPerEpoch: 299, brokenAt: 298 });
    expect(outcome).toMatchObject({ failureCode: 'diverged' });
    expect(saved).toHaveLength(0);
  });

  test('is noticed before the checkpoint of a stop, in whatever step that comes', async () => {
    // Every third step is recorded; the stop comes after the second.
    const { outcome, saved, events } = await play({ stepsPerEpoch: 1500, epochs: 2, stopAfter: 2, brokenAt: 1 });
    expect(outcome).toMatchObject({ failureCode: 'diverged', message: expect.stringMatching(/NaN at step 2/) });
    expect(events).toEqual(['train 2']);
    expect(saved).toHaveLength(0);
  });

  test('in the validation alone counts too', async () => {
    const { outcome, saved } = await play({ validationLoss: Number.POSITIVE_INFINITY });
    expect(outcome).toMatchObject({ failureCode: 'diverged', message: expect.stringMatching(/validation loss/) });
    expect(saved).toHaveLength(0);
  });
});
