/** The command line of `npm run evaluate`, read into an order; whatever is wrong with it is one sentence. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OWN_PREPROCESSING, usualPreprocessing } from '@mealtable/protocol/evaluation';
import { NETWORKS, NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS, WeightsName } from '@mealtable/protocol/published-weights';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { EvaluationBatchSize, InputSize } from '@mealtable/protocol/run-config';
import { z } from 'zod';
import { Progress } from '../train/checkpoint.ts';
import type { EvaluationOrder } from '../train/evaluation.ts';

export const USAGE = `Usage: npm run evaluate -- (--weights NAME | --checkpoint PATH) --dataset FOLDER [options]

  --weights NAME      published weights, for example resnet50.a1_in1k; npm run models lists them
  --checkpoint PATH   a checkpoint's folder as the trainer writes it, or its model.safetensors alone
  --dataset FOLDER    a dataset, whose validation images are looked at, or a folder of those alone
  --size PIXELS       side of the square input; default: the size of the published weights
  --batch N           images at a time, 64 by default
  --network NAME      of a model.safetensors without its progress.json
  --threads N         cores to use; default: all
  --json              the result as one line of JSON`;

/** A command line that asks for nothing that can be done. */
export class UsageError extends Error {}

export interface Evaluate {
  order: EvaluationOrder;
  /** What is measured, for people. */
  name: string;
  json: boolean;
}

/** Null: only the usage is wanted. @throws {UsageError} */
export function readOptions(args: readonly string[]): Evaluate | null {
  const { values } = parse(args);
  if (values.help) return null;
  const { weights, checkpoint, dataset } = values;
  if ((weights === undefined) === (checkpoint === undefined))
    throw new UsageError('Give either --weights NAME or --checkpoint PATH.');
  if (dataset === undefined) throw new UsageError('Give --dataset FOLDER.');
  const subject = weights === undefined ? checkpointAt(checkpoint!, values.network) : publishedNamed(weights);
  const inputSize = toNumber('--size', values.size, InputSize) ?? subject.usualSize;
  if (inputSize === null) throw new UsageError('Give --size PIXELS: a checkpoint does not say what it was trained at.');
  const { minInputSize } = NETWORKS[subject.network];
  if (inputSize < minInputSize)
    throw new UsageError(`${subject.network} needs an input of at least ${minInputSize} pixels; got ${inputSize}.`);
  const { network, source, preprocessing, name } = subject;
  const batchSize = toNumber('--batch', values.batch, EvaluationBatchSize) ?? 64;
  const threads = toNumber('--threads', values.threads, z.int().min(1)) ?? availableParallelism();
  const order = { datasetPath: resolve(dataset), network, source, inputSize, batchSize, preprocessing, threads };
  return { order, name, json: values.json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        weights: { type: 'string' },
        checkpoint: { type: 'string' },
        network: { type: 'string' },
        dataset: { type: 'string' },
        size: { type: 'string' },
        batch: { type: 'string' },
        threads: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function toNumber(option: string, text: string | undefined, type: z.ZodType<number>): number | null {
  if (text === undefined) return null;
  const parsed = type.safeParse(text.trim() === '' ? Number.NaN : Number(text));
  if (parsed.success) return parsed.data;
  throw new UsageError(`${option} ${text}: ${parsed.error.issues[0]!.message}`);
}

interface Subject extends Pick<EvaluationOrder, 'network' | 'source' | 'preprocessing'> {
  name: string;
  usualSize: number | null;
}

function publishedNamed(name: string): Subject {
  const parsed = WeightsName.safeParse(name);
  if (!parsed.success) throw new UsageError(parsed.error.issues[0]!.message);
  const { network, published } = KNOWN_WEIGHTS.get(name)!;
  const source = { kind: 'pretrained' as const, weights: name };
  const usualSize = published.preprocessing.inputSize;
  return { name, network, source, preprocessing: usualPreprocessing(source), usualSize };
}

function checkpointAt(path: string, network: string | undefined): Subject {
  const at = resolve(path);
  if (!existsSync(at)) throw new UsageError(`There is no checkpoint at ${at}.`);
  const folder = statSync(at).isDirectory() ? at : null;
  const model = folder === null ? at : join(folder, CHECKPOINT_FILES.model);
  if (!existsSync(model)) throw new UsageError(`${at} is no checkpoint: it holds no ${CHECKPOINT_FILES.model}.`);
  const progress = folder === null ? null : readProgress(join(folder, CHECKPOINT_FILES.progress));
  if (progress === null && network === undefined)
    throw new UsageError(
      `Give --network NAME: without a ${CHECKPOINT_FILES.progress} nothing says whose weights these are.`,
    );
  const named = progress === null ? NetworkName.safeParse(network) : null;
  if (named && !named.success) throw new UsageError(named.error.issues[0]!.message);
  return {
    name: `The checkpoint ${at}`,
    network: progress?.network ?? named!.data!,
    source: { kind: 'file', what: `The checkpoint ${at}`, path: model, classCount: progress?.classCount ?? null },
    preprocessing: OWN_PREPROCESSING,
    usualSize: null,
  };
}

/** Null where there is none. */
function readProgress(path: string): Progress | null {
  if (!existsSync(path)) return null;
  try {
    return Progress.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw new UsageError(
      `${path} is not a checkpoint's progress. Give its ${CHECKPOINT_FILES.model} and --network NAME.`,
    );
  }
}
