/** Every format gives the logits of our own network, read by its own reader; what TensorFlow and PyTorch's world says: test/long. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXPORT_FORMATS, type ExportFormat, explainNoExport } from '@mealtable/protocol/exports';
import { NETWORK_NAMES, type NetworkName } from '@mealtable/protocol/networks';
import type { GraphModel, LayersModel, Tensor } from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeBackend } from '../../trainer/engine/backend.ts';
import { GraphSession } from '../../trainer/engine/graph/session.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { convertModel } from '../../trainer/export/convert.ts';
import {
  exportSample,
  factsOf,
  hashFolder,
  makeImages,
  makeSample,
  PROVEN_NETWORKS,
  readerOf,
  type Sample,
  toleranceFor,
} from '../support/exports.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();
const native = nativeBackend();
const { shape, data } = makeImages();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-exports-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The wide ones share their code with these. */
const SMALL = NETWORK_NAMES.filter((name) => /_w8$|_025$/.test(name));

async function readSavedModel(at: string, feed: Tensor, edge: string): Promise<Float32Array> {
  const session = new GraphSession(native!, await readFile(path.join(at, 'saved_model.pb')));
  try {
    return tf.tidy(() => session.run(new Map([[edge, feed]]), ['logits:0'])[0]!.dataSync() as Float32Array);
  } finally {
    session.dispose();
  }
}

describe.skipIf(native === null)('SavedModel', () => {
  test.each(SMALL)('of %s gives our logits', async (name) => {
    const sample = await makeSample(folder, name);
    const at = await exportSample(folder, sample, 'saved-model');
    const images = tf.tensor(data, shape);
    const logits = await readSavedModel(at, images, 'images:0');
    images.dispose();
    expectClose(logits, sample.logits, toleranceFor(sample.logits));
    expect(new Set(logits).size).toBe(logits.length);
  });
});

/** In JavaScript alone, as browsers compute. */
async function predict(load: () => Promise<GraphModel | LayersModel>): Promise<Float32Array> {
  const before = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    const model = await load();
    const logits = tf.tidy(() => (model.predict(tf.tensor(data, shape)) as Tensor).dataSync() as Float32Array);
    model.dispose();
    return logits;
  } finally {
    await tf.setBackend(before);
  }
}

/** 'network format' to the hash of what was made of it when the programs of the field last read it: test/long/exports.test.ts. */
const proven: Record<string, string> = JSON.parse(
  await readFile(path.join(import.meta.dirname, 'proven.json'), 'utf8'),
);

describe.each(PROVEN_NETWORKS)('%s', (name) => {
  let sample: Sample;
  beforeAll(async () => {
    sample = await makeSample(folder, name);
  });

  test('gives our logits as a GraphModel', async () => {
    const at = await exportSample(folder, sample, 'tfjs-graph');
    const logits = await predict(() => tf.loadGraphModel(readerOf(at)));
    expectClose(logits, sample.logits, toleranceFor(sample.logits));
  });

  test('gives our logits as a LayersModel', async () => {
    const at = await exportSample(folder, sample, 'tfjs-layers');
    const logits = await predict(() => tf.loadLayersModel(readerOf(at)));
    expectClose(logits, sample.logits, toleranceFor(sample.logits));
  });

  test('is the very bytes that were proven', async () => {
    const again = path.join(folder, `${name}-again`);
    await mkdir(again);
    for (const format of EXPORT_FORMATS) {
      const at = await exportSample(again, sample, format);
      expect(await hashFolder(at), `Run npm run test:exports: it proves ${format} anew.`).toBe(
        proven[`${name} ${format}`],
      );
    }
  });
});

describe('a conversion', () => {
  const convert = async (network: NetworkName, source: string, format: ExportFormat = 'onnx', facts = {}) => {
    const output = await mkdtemp(path.join(folder, 'refused-'));
    const sourceSha256 = 'a'.repeat(64);
    const job = { format, facts: { ...factsOf(network), ...facts }, source, sourceSha256, output };
    return { answer: await convertModel(job), files: await readdir(output), output };
  };
  let weights: string;
  beforeAll(async () => {
    ({ weights } = await makeSample(folder, 'resnet18_w16'));
  });

  test('of another network’s weights names the first tensor that differs', async () => {
    const { answer, files } = await convert('resnet34_w16', weights);
    expect(answer).toEqual({
      ok: false,
      message:
        'These are not the weights of a resnet34_w16 with 7 classes: the file has no tensor layer1.2.conv1.weight.',
    });
    expect(files).toEqual([]);
    const wider = await convert('resnet18_w32', weights);
    expect(wider.answer).toMatchObject({
      message: expect.stringMatching(/layer1.0.conv1.weight is \[16,64,3,3\] instead/),
    });
    const deeper = await makeSample(folder, 'resnet34_w8');
    const shallower = await convert('resnet18_w8', deeper.weights);
    expect(shallower.answer).toMatchObject({ message: expect.stringMatching(/layer1.2.conv1.weight is none of this/) });
  });

  test('of a file that is damaged says so without a path of the hub', async () => {
    const cut = path.join(folder, 'cut.safetensors');
    await writeFile(cut, (await readFile(weights)).subarray(0, 5_000));
    const { answer } = await convert('resnet18_w16', cut);
    expect(answer).toMatchObject({ ok: false, message: expect.stringMatching(/^The file of weights cannot be read/) });
    expect(JSON.stringify(answer)).not.toContain(folder);
  });

  test('to a format that has not what the network needs is refused with the reason', async () => {
    for (const format of ['tfjs-graph', 'tfjs-layers'] as const) {
      const { answer } = await convert('senet19_w8', weights, format);
      expect(answer).toEqual({ ok: false, message: explainNoExport('senet19_w8', format) });
    }
  });

  test('names classes only when there are as many as logits', async () => {
    const infoOf = async (classNames: string[]) => {
      const { output } = await convert('resnet18_w16', weights, 'saved-model', { classNames });
      return JSON.parse(await readFile(path.join(output, 'model-info.json'), 'utf8'));
    };
    expect(await infoOf(['too', 'few'])).toMatchObject({ classCount: 7, classNames: null });
    expect(await infoOf([...'abcdefg'])).toMatchObject({
      classNames: [...'abcdefg'],
      preprocessing: { resize: 36, crop: 32, interpolation: 'bilinear', mean: [0.485, 0.456, 0.406] },
    });
  });

  test('cuts TensorFlow.js’s weights into files of 4 MB at most', async () => {
    const wide = await makeSample(folder, 'resnet18_w32');
    const at = await exportSample(folder, wide, 'tfjs-graph');
    const sizes = await Promise.all(
      (await readdir(at)).filter((n) => n.endsWith('.bin')).map(async (n) => (await stat(path.join(at, n))).size),
    );
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBe(4 * 1024 * 1024);
    const logits = await predict(() => tf.loadGraphModel(readerOf(at)));
    expectClose(logits, wide.logits, toleranceFor(wide.logits));
  });
});
