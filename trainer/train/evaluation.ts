/** One pass of a network over a dataset's validation images: what `validate` does in a run, for weights that exist already. */
import { findClassProblem } from '@mealtable/protocol/imagenet-classes';
import type { NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import type { EvaluationPreprocessing } from '@mealtable/protocol/run-config';
import type { Dataset } from '../data/dataset.ts';
import { ImagePool } from '../data/image-pool.ts';
import { validationBatches } from '../data/loader.ts';
import { datasetCacheFolder, openDataset } from '../data/open-dataset.ts';
import { DatasetInvalidError, UnreadableImages } from '../data/unreadable-images.ts';
import { loadRuntime, type Runtime } from '../engine/runtime.ts';
import { createNetwork } from '../models/create-network.ts';
import type { Network } from '../models/network.ts';
import { graphCache } from './graph-cache.ts';
import { describeMemory } from './host-memory.ts';
import { loadWeights } from './load-weights.ts';
import { Predictor } from './predictor.ts';
import { obtainFiles, requireClasses } from './published-weights.ts';
import { findOutOfMemory, RunFailure } from './run-failure.ts';
import { type Validation, validate } from './validate.ts';

const MAX_IMAGE_THREADS = 16;

/** Published weights by name, or a file that is there already; its class count is null where nothing says it. */
export type WeightsToEvaluate =
  | { kind: 'pretrained'; weights: string }
  | { kind: 'file'; what: string; path: string; classCount: number | null };

export interface EvaluationOrder {
  datasetPath: string;
  network: NetworkName;
  source: WeightsToEvaluate;
  /** Side of the square input in pixels. */
  inputSize: number;
  batchSize: number;
  preprocessing: EvaluationPreprocessing;
  /** Cores that TensorFlow and the image threads may use. */
  threads: number;
}

export interface EvaluationContext {
  /** The bundled image-worker.ts. */
  imageWorkerUrl: URL;
  log(level: 'info' | 'warning', line: string): void;
  /** Asked between batches. */
  shouldStop(): boolean;
  /** Before the first batch. */
  onStart(facts: { runtime: Runtime; dataset: Dataset; parameterCount: number }): void;
  /** After every batch: images done. */
  onProgress(done: number): void;
}

export interface EvaluationResult extends Validation {
  /** Images that were looked at. */
  images: number;
  unreadable: number;
}

/**
 * Computes in float32, whatever the device. Null when `shouldStop` said so before the end.
 * @throws {RunFailure} weights_missing or out_of_memory @throws {DatasetInvalidError}
 */
export async function evaluate(order: EvaluationOrder, context: EvaluationContext): Promise<EvaluationResult | null> {
  const dataset = await openValidation(order.datasetPath);
  const classCount = dataset.classNames.length;
  const path = await findFile(order.source, dataset.classNames, context);
  if (path === null) return null;
  const runtime = await loadRuntime({ ...process.env, MEALTABLE_THREADS: String(order.threads) });
  if (runtime.announce !== null) context.log('warning', runtime.announce);
  const network = createNetwork(order.network, classCount, null);
  try {
    await loadWeights(network, {
      what: order.source.kind === 'file' ? order.source.what : `The published weights ${order.source.weights}`,
      network: order.network,
      classCount,
      path,
      advice: 'Put the right file there, or evaluate others.',
    });
    const parameterCount = [...network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
    context.onStart({ runtime, dataset, parameterCount });
    return await measure(network, dataset, order, context);
  } catch (error) {
    const cause = findOutOfMemory(error);
    if (cause === null) throw error;
    const memory = await describeMemory(runtime.device);
    const message = `A batch of ${order.batchSize} images at ${order.inputSize} pixels does not fit into ${memory}. Evaluate with a smaller batch.`;
    throw new RunFailure('out_of_memory', message, { cause });
  } finally {
    network.dispose();
  }
}

async function openValidation(path: string): Promise<Dataset> {
  const dataset = await openDataset(path, datasetCacheFolder(process.env));
  if (dataset.problems.length > 0) throw new DatasetInvalidError(dataset.problems.join(' '));
  return dataset;
}

/** Null when a stop came in between. Classes are compared first: nobody should wait for a download in vain. */
async function findFile(source: WeightsToEvaluate, classNames: readonly string[], context: EvaluationContext) {
  const classCount = classNames.length;
  const advice = 'Evaluate on a dataset of the same classes.';
  if (source.kind === 'file') {
    if (source.classCount !== null) requireClasses(source.what, source.classCount, classCount, advice);
    return source.path;
  }
  const { weights } = source;
  if (KNOWN_WEIGHTS.get(weights) === undefined)
    throw new RunFailure('weights_missing', `There are no published weights named ${weights}.`);
  const found = findClassProblem(classNames);
  const more = found?.certain ? ` ${found.message}` : '';
  requireClasses(`The network of ${weights}`, PUBLISHED_CLASS_COUNT, classCount, advice + more);
  if (found?.certain) throw new DatasetInvalidError(found.message);
  if (found) context.log('warning', found.message);
  const { shouldStop } = context;
  const files = await obtainFiles([weights], { records: context, shouldStop, env: process.env });
  return files?.get(weights) ?? null;
}

async function measure(
  network: Network,
  dataset: Dataset,
  { inputSize, preprocessing, batchSize, threads }: EvaluationOrder,
  context: EvaluationContext,
): Promise<EvaluationResult | null> {
  const split = dataset.splits.val;
  const { cropFraction, interpolation, mean, std } = preprocessing;
  const pool = new ImagePool({
    workerUrl: context.imageWorkerUrl,
    // Centre views draw nothing.
    seed: 0,
    views: { inputSize, cropFraction, interpolation },
    threads: Math.min(threads, MAX_IMAGE_THREADS),
    // Every image is looked at once.
    cacheBytes: 0,
  });
  const size = Math.min(batchSize, split.length);
  const normalisation = { mean, std };
  const predictor = new Predictor(
    network,
    size,
    graphCache('predict', { network: network.name, normalisation }),
    normalisation,
  );
  const unreadable = new UnreadableImages({ train: 0, val: split.length }, (line) => context.log('warning', line));
  let images = 0;
  try {
    const validation = await validate(
      (batch) => predictor.predict(batch),
      validationBatches({ pool, split, batchSize: size, unreadable }),
      context.shouldStop,
      (done) => {
        images = done;
        context.onProgress(done);
      },
    );
    return validation === null ? null : { ...validation, images, unreadable: unreadable.count };
  } finally {
    predictor.dispose();
    await pool.close();
  }
}
