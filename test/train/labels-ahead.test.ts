/** On a CPU the teachers see the images of batches to come along with those of the batch whose labels are missing. */
import { beforeAll, expect, test } from 'vitest';
import type { Batch } from '../../trainer/data/loader.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { Labeller } from '../../trainer/train/labeller.ts';
import { StoredLabels } from '../../trainer/train/stored-labels.ts';
import { makeKey, withFolder } from '../labels/support.ts';
import { createLinearTeacher } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

beforeAll(setUpTensorFlow);

const KEY = makeKey({ classCount: 3, labels: { kind: 'full' } });
const LOGITS = [
  [3, 1, 0],
  [0, 2, 1],
  [1, 0, 2],
];
const BATCH = 4;

/** Images of 2 x 2 whose bytes are a function of place and view. */
function batchOf(places: number[], view: number): Batch {
  const pixels = Uint8Array.from({ length: places.length * 12 }, (_, i) => {
    const place = places[Math.floor(i / 12)]!;
    return (place * 37 + view * 11 + i * 5) % 256;
  });
  return { pixels, labels: new Int32Array(places.length), size: places.length, source: { places, view } };
}
const BATCHES = [
  batchOf([0, 1, 2, 3], 0),
  batchOf([4, 5, 6, 7], 0),
  batchOf([0, 8, 9, 10], 1),
  batchOf([11, 4, 5, 6], 0),
];

async function labelAll(folder: string, atOnce: number) {
  const sizes: number[] = [];
  const createLabeller = async () => {
    const labeller = new Labeller([createLinearTeacher(LOGITS)], {
      ...{ batchSize: BATCH, mean: 'probability', temperature: 1, weights: [1], logits: true },
      ...{ precision: 'float32', cache: null },
    });
    labeller.atOnce = atOnce;
    const label = labeller.label.bind(labeller);
    labeller.label = (pixels, count) => {
      sizes.push(count);
      return label(pixels, count);
    };
    return labeller;
  };
  const store = { cache: openLabelCache(folder, KEY, { writable: true }), share: 1, createLabeller };
  const labels = new StoredLabels([store], (line) => expect.unreachable(line));
  const given: number[][] = [];
  const hitRates: number[] = [];
  try {
    for (const [i, batch] of BATCHES.entries()) {
      const rows = await labels.labelsOf(batch, async () => BATCHES.slice(i + 1));
      given.push([...rows.probabilities, ...rows.meanLogits!]);
      hitRates.push(labels.takeMetrics()['labels/hit_rate']!);
    }
  } finally {
    labels.close();
  }
  return { sizes, given, hitRates };
}

test('every label is computed once, is the same as alone, and counts where its batch is trained on', async () => {
  const alone = await withFolder((folder) => labelAll(folder, BATCH));
  // Three of the last batch are there by then.
  expect(alone.sizes).toEqual([4, 4, 4, 1]);
  const ahead = await withFolder((folder) => labelAll(folder, 3 * BATCH));
  expect(ahead.sizes).toEqual([12, 1]);
  expect(ahead.given).toEqual(alone.given);
  expect(ahead.hitRates).toEqual(alone.hitRates);
  expect(ahead.hitRates).toEqual([0, 0, 0, 75]);
});

test('a batch of which not all has room waits for its turn', async () => {
  const { sizes } = await withFolder((folder) => labelAll(folder, 2 * BATCH + 1));
  expect(sizes).toEqual([8, 5]);
});
