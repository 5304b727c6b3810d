/**
 * Exports read by the programs that users read them with: TensorFlow in Python and through tfjs-node, ONNX Runtime and ONNX's own
 * checker, timm. `npm run test:exports` with MEALTABLE_PYTHON=/path/to/python, which has tensorflow-cpu, onnx, onnxruntime, timm,
 * torch, torchvision, safetensors and pillow. With PROVE=1 it notes the bytes that it has proven in test/exports/proven.json.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXPORT_FORMATS } from '@mealtable/protocol/exports';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor } from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import {
  exportSample,
  hashFolder,
  makeImages,
  makeSample,
  PROVEN_NETWORKS,
  readerOf,
  type Sample,
  toleranceFor,
} from '../support/exports.ts';
import { runPythonFile } from '../support/python.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const python = process.env.MEALTABLE_PYTHON ?? null;
if (python === null)
  console.warn('Skipped: MEALTABLE_PYTHON names no Python with tensorflow, onnx, onnxruntime and timm.');
const PROVEN = path.join(import.meta.dirname, '..', 'exports', 'proven.json');
const scriptOf = (name: string) => path.join(import.meta.dirname, 'support', name);

/** As users have them, beside those whose bytes are noted. */
const WIDE: NetworkName[] = ['resnet18', 'resnet50', 'mobilenetv3_small_100', 'efficientnet_b0'];
const ODD: NetworkName[] = ['senet19_w8'];

// Python takes a minute to load TensorFlow on a machine that has other work.
describe.skipIf(python === null)('exports in the programs of the field', { timeout: 900_000 }, async () => {
  if (python === null) return;
  await setUpTensorFlow();
  const proven: Record<string, string> = {};
  let folder: string;
  let images: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mealtable-exports-'));
    images = path.join(folder, 'images.safetensors');
    const { shape, data } = makeImages();
    await writeSafetensors(images, new Map([['images', { dtype: 'F32', shape, data }]]));
  });
  afterAll(async () => {
    if (process.env.PROVE === '1') await writeFile(PROVEN, `${JSON.stringify(proven, null, 2)}\n`);
    await rm(folder, { recursive: true });
  });
  const logitsFrom = async (script: string, ...args: string[]): Promise<Record<string, number[]>> =>
    JSON.parse(await runPythonFile(python, scriptOf(script), images, ...args));
  const expectOurs = ({ logits }: Sample, found: ArrayLike<number>) => expectClose(found, logits, toleranceFor(logits));

  describe.each([...PROVEN_NETWORKS, ...WIDE, ...ODD])('%s', (name) => {
    let sample: Sample;
    beforeAll(async () => {
      sample = await makeSample(folder, name);
    });
    const note = async (format: string, at: string) => {
      if (PROVEN_NETWORKS.includes(name)) proven[`${name} ${format}`] = await hashFolder(at);
    };

    test('SavedModel: TensorFlow in Python, both signatures, and tfjs-node', async () => {
      const at = await exportSample(folder, sample, 'saved-model');
      const found = await logitsFrom('read_saved_model.py', at);
      expectOurs(sample, found.serving_default!);
      expect(found.pixels_error![0]).toBeLessThan(1e-4);
      expectOurs(sample, await readWithTfjsNode(at));
      await note('saved-model', at);
    });

    test('ONNX: the checker and ONNX Runtime', async () => {
      const at = await exportSample(folder, sample, 'onnx');
      const { logits, single } = await logitsFrom('read_onnx.py', path.join(at, 'model.onnx'));
      expectOurs(sample, logits!);
      // A batch of another length.
      expectClose(single!, sample.logits.slice(0, single!.length), toleranceFor(sample.logits));
      await note('onnx', at);
    });

    test.skipIf(ODD.includes(name))('TensorFlow.js: both kinds of model', async () => {
      const graph = await exportSample(folder, sample, 'tfjs-graph');
      expectOurs(sample, await predict(await tf.loadGraphModel(readerOf(graph))));
      await note('tfjs-graph', graph);
      const layers = await exportSample(folder, sample, 'tfjs-layers');
      expectOurs(sample, await predict(await tf.loadLayersModel(readerOf(layers))));
      await note('tfjs-layers', layers);
    });
  });

  test('the bytes are those that are noted', async () => {
    if (process.env.PROVE === '1') return;
    expect(proven).toEqual(JSON.parse(await readFile(PROVEN, 'utf8')));
    expect(Object.keys(proven)).toHaveLength(PROVEN_NETWORKS.length * EXPORT_FORMATS.length);
  });
});

interface Predicts {
  predict(images: Tensor): unknown;
  dispose(): void;
}

async function predict(model: Predicts): Promise<Float32Array> {
  const { shape, data } = makeImages();
  const logits = tf.tidy(() => (model.predict(tf.tensor(data, shape)) as Tensor).dataSync() as Float32Array);
  model.dispose();
  return logits;
}

async function readWithTfjsNode(folder: string): Promise<Float32Array> {
  const { node } = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as {
    node: { loadSavedModel(path: string): Promise<Predicts> };
  };
  return predict(await node.loadSavedModel(folder));
}
