/** Networks with made-up weights that are the same everywhere, written as the trainer writes them, and converted. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { OWN_PREPROCESSING } from '@mealtable/protocol/evaluation';
import type { ExportFormat, ModelFacts } from '@mealtable/protocol/exports';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../../trainer/engine/tf.ts';
import { convertModel } from '../../trainer/export/convert.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { hashedImages, hashStateDict } from './hashed-weights.ts';

export const CLASSES = 7;
/** Not square and odd, so that every way of padding shows. */
export const IMAGES = { batch: 2, height: 33, width: 48 } as const;

export const factsOf = (network: NetworkName): ModelFacts => ({
  network,
  classNames: ['a', 'b', 'c', 'd', 'e', 'f', '<b>"g"</b>'],
  inputSize: 32,
  preprocessing: OWN_PREPROCESSING,
});

export function makeImages({ batch, height, width } = IMAGES): {
  shape: [number, number, number, number];
  data: Float32Array;
} {
  const size = Math.max(height, width);
  return { shape: [batch, height, width, 3], data: hashedImages(batch, size).slice(0, batch * height * width * 3) };
}

export interface Sample {
  network: NetworkName;
  /** Path of its weights. */
  weights: string;
  sha256: string;
  /** Of `makeImages()`, by our own network. */
  logits: Float32Array;
}

/** Call with TensorFlow loaded. */
export async function makeSample(folder: string, name: NetworkName): Promise<Sample> {
  const network = createNetwork(name, CLASSES, null);
  network.loadStateDict(hashStateDict(await network.toStateDict()));
  const { shape, data } = makeImages();
  const logits = tf.tidy(() => network.forward(tf.tensor(data, shape) as Tensor4D, false).dataSync() as Float32Array);
  const weights = path.join(folder, `${name}.safetensors`);
  const { sha256 } = await writeSafetensors(weights, network.toSource(), { format: 'pt', network: name });
  network.dispose();
  return { network: name, weights, sha256, logits };
}

/** @returns the folder with the files */
export async function exportSample(folder: string, sample: Sample, format: ExportFormat): Promise<string> {
  const output = path.join(folder, `${sample.network}-${format}`);
  await mkdir(output);
  const facts = factsOf(sample.network);
  const job = { format, facts, source: sample.weights, sourceSha256: sample.sha256, output };
  const answer = await convertModel(job);
  if (!answer.ok) throw new Error(answer.message);
  return output;
}

/** Bars of the project: 1e-4, relative to the largest logit. */
export const toleranceFor = (logits: Float32Array): number => 1e-4 * Math.max(...logits.map(Math.abs));

/** What browsers get over HTTP, from a folder: for tf.loadGraphModel and tf.loadLayersModel. */
export function readerOf(folder: string) {
  return {
    load: async () => {
      const model = JSON.parse(await readFile(path.join(folder, 'model.json'), 'utf8'));
      const [{ paths, weights }] = model.weightsManifest as [{ paths: string[]; weights: object[] }];
      const shards = await Promise.all(paths.map((shard) => readFile(path.join(folder, shard))));
      const whole = Buffer.concat(shards);
      const weightData = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength);
      return { ...model, weightSpecs: weights, weightData };
    },
  };
}

/** One hash for all files of a folder and their names. */
export async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) {
    const bytes = await readFile(path.join(folder, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** Whose exports are read by TensorFlow, ONNX Runtime and timm in test/long/exports.test.ts, and by their hashes in test/exports. */
export const PROVEN_NETWORKS: readonly NetworkName[] = [
  'resnet18_w8',
  'resnet17s_w8',
  'tf_efficientnet_b0_w8',
  'mobilenetv3_large_025',
];
