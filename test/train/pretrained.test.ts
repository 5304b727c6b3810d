/** Runs that begin with published weights: as a start with its own classifier or a new one, and as teachers. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { loadTeachers } from '../../trainer/train/load-weights.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { describeFailure } from '../../trainer/train/run-failure.ts';
import { readSafetensors, writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { hashedImages } from '../support/hashed-weights.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import { CLASSIFICATION, checkpointPath, checkpointsOf, logOf, makeJob } from '../support/trainer-process.ts';
import { WeightsHub } from '../support/weights-hub.ts';

await setUpTensorFlow();

const NETWORK = 'mobilenetv3_small_050';
const NAME = `${NETWORK}.lamb_in1k`;
const start = (head: 'keep' | 'replace'): TrainingConfig => ({
  ...CLASSIFICATION,
  network: NETWORK,
  initialisation: { kind: 'pretrained', weights: NAME, head },
  epochs: 1,
  optimizer: { ...CLASSIFICATION.optimizer, learningRate: 1e-12 },
});
const teacher: TrainingConfig = {
  ...CLASSIFICATION,
  task: 'distillation',
  teachers: [{ kind: 'pretrained', weights: NAME }],
  discriminator: true,
};

let programs: BundledPrograms;
let root: string;
let dataset: string;
/** As published: 1000 classes. */
let published: string;
let attempts = 0;
const variables = ['MEALTABLE_WEIGHTS_DIR', 'HF_HUB_OFFLINE', 'HF_HOME', 'HF_ENDPOINT'] as const;
const saved = Object.fromEntries(variables.map((name) => [name, process.env[name]]));

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'mealtable-pretrained-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: ['a', 'b', 'c'], train: 4, val: 2, size: 12 });
  published = join(root, `${NAME}.safetensors`);
  const network = createNetwork(NETWORK, 1000, Rng.seeded(9));
  await writeSafetensors(published, network.toSource());
  network.dispose();
});
beforeEach(() => {
  process.env.MEALTABLE_WEIGHTS_DIR = root;
  process.env.HF_HUB_OFFLINE = '1';
  process.env.HF_HOME = join(root, `hf-${++attempts}`);
});
afterEach(() => {
  for (const name of variables) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

async function run(config: TrainingConfig, shouldStop = () => false): Promise<{ dir: string; outcome: string }> {
  const dir = join(root, `attempt-${attempts}`);
  mkdirSync(dir);
  const records = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
  const { imageWorkerUrl } = programs;
  try {
    const job = makeJob(config, dataset);
    return { dir, outcome: await runAttempt({ attemptDir: dir, job, records, imageWorkerUrl, shouldStop }) };
  } finally {
    records.close();
  }
}

async function expectMissing(running: Promise<unknown>, message: RegExp): Promise<void> {
  const failure = describeFailure(
    await running.then(
      () => expect.unreachable('it succeeded'),
      (error) => error,
    ),
  );
  expect(failure).toMatchObject({ failureCode: 'weights_missing', message: expect.stringMatching(message) });
}

describe('a start', () => {
  test('whose head is replaced has all of the weights but the classifier, which is drawn for the dataset', async () => {
    const { dir, outcome } = await run(start('replace'));
    expect(outcome).toBe('succeeded');
    const path = checkpointPath(dir, checkpointsOf(dir)[0]!, CHECKPOINT_FILES.model);
    const { tensors: trained } = await readSafetensors(path);
    const { tensors: given } = await readSafetensors(published);
    for (const name of ['conv_stem.weight', 'blocks.5.0.conv.weight', 'conv_head.weight', 'conv_head.bias'])
      expectClose(trained.get(name)!.data as Float32Array, given.get(name)!.data as Float32Array, 1e-6);
    expect(trained.get('classifier.weight')?.shape).toEqual([3, 1024]);
    expect(given.get('classifier.weight')?.shape).toEqual([1000, 1024]);
  });

  test('whose head is kept needs a dataset of as many classes', async () => {
    await expectMissing(
      run(start('keep')),
      /^The start mobilenetv3_small_050\.lamb_in1k knows 1000 classes, but the dataset has 3\. Replace the head of the start\.$/,
    );
  });

  test('that cannot be had fails the run with the file and the folder', async () => {
    process.env.MEALTABLE_WEIGHTS_DIR = join(root, 'nothing');
    await expectMissing(
      run(start('replace')),
      /HF_HUB_OFFLINE is set.*Put the file into .*nothing on this host as mobilenetv3_small_050\.lamb_in1k\.safetensors/,
    );
  });

  test('that is damaged, or of another network, fails the run with its path', async () => {
    const folder = join(root, 'damaged');
    mkdirSync(folder);
    process.env.MEALTABLE_WEIGHTS_DIR = folder;
    const file = join(folder, `${NAME}.safetensors`);
    writeFileSync(file, readFileSync(published).subarray(0, 1_000_000));
    await expectMissing(
      run(start('replace')),
      /The start mobilenetv3.* could not be loaded from .*damaged.*Put the right file there/,
    );
    const other = createNetwork('resnet18_w8', 3, Rng.seeded(1));
    await writeSafetensors(file, other.toSource());
    other.dispose();
    attempts++;
    await expectMissing(
      run(start('replace')),
      /These weights do not fit the network: missing conv_stem\.weight, .* and \d+ more; unexpected conv1\.weight, .* and \d+ more; .*Put the right file there/,
    );
  });
});

describe('a download', () => {
  const download = async (work: (hub: WeightsHub) => Promise<void>) => {
    const hub = await WeightsHub.start(readFileSync(published));
    process.env.MEALTABLE_WEIGHTS_DIR = join(root, 'nothing');
    process.env.HF_HUB_OFFLINE = '';
    process.env.HF_ENDPOINT = hub.endpoint;
    try {
      await work(hub);
    } finally {
      await hub.stop();
    }
  };

  test("is told in the run's log", () =>
    download(async (hub) => {
      const { dir, outcome } = await run(start('replace'));
      expect(outcome).toBe('succeeded');
      const log = logOf(dir).join('\n');
      expect(log).toContain(`Downloading ${NAME} (`);
      expect(log).toContain(`from ${hub.endpoint}/timm/${NAME}/resolve/main/model.safetensors`);
    }));

  test('ends when the run is stopped, which then is interrupted', () =>
    download(async (hub) => {
      let isAsked = false;
      hub.onDownload = (_, response) => {
        isAsked = true;
        return response.writeHead(200).write('a few bytes');
      };
      const { dir, outcome } = await run(start('replace'), () => isAsked);
      expect(outcome).toBe('interrupted');
      expect(checkpointsOf(dir)).toEqual([]);
    }));
});

describe('a teacher', () => {
  test('is refused on a dataset of other classes before anything is downloaded, with the way out', async () => {
    await expectMissing(
      run(teacher),
      /^The teacher mobilenetv3_small_050\.lamb_in1k knows 1000 classes, but the dataset has 3\. First train a network on this dataset that starts from these weights with the head replaced/,
    );
  });

  test('computes what the published network computes', async () => {
    const before = tf.memory().numTensors;
    const files = new Map([[NAME, published]]);
    const [frozen] = await loadTeachers(makeJob(teacher, dataset), files, 1000);
    const network = createNetwork(NETWORK, 1000, Rng.seeded(9));
    const [found, expected] = tf.tidy(() => {
      const images = tf.tensor4d(hashedImages(1, 32), [1, 32, 32, 3]);
      return [frozen!.forward(images).dataSync(), network.forward(images, false).dataSync()];
    });
    frozen!.dispose();
    network.dispose();
    expectClose(found!, [...expected!], 1e-4);
    expect(tf.memory().numTensors).toBe(before);
  });
});
