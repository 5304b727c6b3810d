/**
 * What a run ends with: its best and its latest checkpoint, read back from their files into a network of their own, measured on the
 * test images or, where the dataset has none, on all validation images. Nothing is chosen by it.
 */
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import type { Dataset, ImageSplit } from '../data/dataset.ts';
import type { ImagePool } from '../data/image-pool.ts';
import { openTestSplit } from '../data/layouts/test-split.ts';
import { validationBatches } from '../data/loader.ts';
import { DatasetInvalidError, UnreadableImages } from '../data/unreadable-images.ts';
import type { GraphCache } from '../engine/graph/cache.ts';
import { createNetwork } from '../models/create-network.ts';
import { type KeptModel, type KeptModels, TESTED, type Tested } from './kept-models.ts';
import { loadWeights } from './load-weights.ts';
import { Predictor } from './predictor.ts';
import type { RecordWriter } from './record-writer.ts';
import { type Validation, validate } from './validate.ts';

export interface FinalTest {
  config: TrainingConfig;
  datasetPath: string;
  dataset: Dataset;
  pool: ImagePool;
  /** The run's own count, for validation images. */
  unreadable: UnreadableImages;
  kept: Pick<KeptModels, 'get'>;
  /** Of the run, at which the numbers are recorded. */
  totalSteps: number;
  cache: GraphCache | null;
  records: Pick<RecordWriter, 'write' | 'log'>;
  shouldStop(): boolean;
  /** Hears after every batch how many images of how many are done. */
  onProgress(done: number, count: number): void;
}

/** Records `test/best_top1`, `test/best_top5`, `test/best_loss` and the same of `latest`. Rejects with RunFailure weights_missing. */
export async function runFinalTest(test: FinalTest): Promise<'succeeded' | 'interrupted'> {
  const { datasetPath, dataset, records } = test;
  const { split, problem } = await openTestSplit(datasetPath, dataset.classNames);
  if (problem !== null) records.log('warning', `The test images are not used. ${problem}`);
  try {
    if (split !== null) return await testOn(test, 'test images', split);
  } catch (error) {
    // Too many of them are unreadable, which must not take a trained run's success.
    if (!(error instanceof DatasetInvalidError)) throw error;
    records.log('warning', 'More of the test images than are tolerated cannot be read: they are not used.');
  }
  return testOn(test, 'validation images', dataset.splits.val);
}

async function testOn(test: FinalTest, images: string, split: ImageSplit): Promise<'succeeded' | 'interrupted'> {
  const isValidation = split === test.dataset.splits.val;
  const warn = (line: string) => test.records.log('warning', line);
  const unreadable = isValidation ? test.unreadable : new UnreadableImages({ train: 0, val: split.length }, warn);
  const { config, records, totalSteps, kept } = test;
  const measured = new Map<number, Validation>();
  const values: Record<string, number> = {};
  const told: string[] = [];
  for (const which of TESTED) {
    const model = kept.get(which);
    if (model === null) {
      records.log('warning', `The ${which} checkpoint is not on this host: it is not tested.`);
      continue;
    }
    // Where the last epoch is the best, both are one.
    const validation = measured.get(model.epoch) ?? (await measure({ ...test, unreadable }, model, which, split));
    if (validation === null) return 'interrupted';
    measured.set(model.epoch, validation);
    const { top1, top5, loss } = validation;
    Object.assign(values, {
      [`test/${which}_top1`]: top1,
      [`test/${which}_top5`]: top5,
      [`test/${which}_loss`]: loss,
    });
    told.push(`${which} (epoch ${model.epoch}) top-1 ${top1.toFixed(2)} %, top-5 ${top5.toFixed(2)} %`);
  }
  records.write({ kind: 'metrics', step: totalSteps, epoch: config.epochs, values });
  records.log('info', `Tested as saved, on ${split.length.toLocaleString('en')} ${images}: ${told.join('; ')}.`);
  return 'succeeded';
}

async function measure(
  test: FinalTest,
  model: KeptModel,
  which: Tested,
  split: ImageSplit,
): Promise<Validation | null> {
  const { config, dataset, pool, unreadable, shouldStop, onProgress, cache } = test;
  const classCount = dataset.classNames.length;
  const network = createNetwork(config.network, classCount, null);
  const batchSize = Math.min(config.batchSize, split.length);
  let predictor: Predictor | null = null;
  try {
    const what = `The ${which} checkpoint, of epoch ${model.epoch},`;
    const advice = 'Start the run again from its last checkpoint.';
    await loadWeights(network, { what, network: config.network, classCount, path: model.path, advice });
    const predicting = new Predictor(network, batchSize, cache);
    predictor = predicting;
    return await validate(
      (batch) => predicting.predict(batch),
      validationBatches({ pool, split, batchSize, unreadable }),
      shouldStop,
      (done) => onProgress(done, split.length),
    );
  } finally {
    predictor?.dispose();
    network.dispose();
  }
}
