/**
 * How fast soft labels are written and read: batches of 256 labels of 1000 classes, top-10 and full, without and with mean
 * logits. Read are batches as they were written (another run of the same seed), and in a random order over all that was
 * written (later epochs of a run with fewer views than epochs). Processor time, so other work on the machine counts little.
 * Run: `npm run bench:labels [images]`. The last line of the output is JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../trainer/engine/rng.ts';
import { LABEL_FORMAT_VERSION, type LabelKey } from '../trainer/labels/key.ts';
import { openLabelCache } from '../trainer/labels/label-cache.ts';
import { type LabelRows, RecordCodec } from '../trainer/labels/record-codec.ts';

const CLASSES = 1000;
const BATCH = 256;
/** Different batches of labels; more would only take memory. */
const PATTERNS = 4;
const CASES = [
  { name: 'top10', labels: { kind: 'top-k', k: 10 }, meanLogits: false },
  { name: 'full', labels: { kind: 'full' }, meanLogits: false },
  { name: 'full_and_logits', labels: { kind: 'full' }, meanLogits: true },
] as const;

interface Result {
  recordBytes: number;
  writtenPerSecond: number;
  openedPerSecond: number;
  readInOrderPerSecond: number;
  readAtRandomPerSecond: number;
  /** Processor milliseconds for a batch read at random. */
  randomBatchMs: number;
}

function makeKey(imageCount: number, labels: LabelKey['labels'], meanLogits: boolean): LabelKey {
  const normalisation: LabelKey['teachers'][number]['normalisation'] = { mean: [0, 0, 0], std: [1, 1, 1] };
  return {
    formatVersion: LABEL_FORMAT_VERSION,
    dataset: { fingerprint: 'bench', imageCount },
    teachers: [{ network: 'bench', weights: '0'.repeat(64), share: 1, normalisation }],
    ensemble: { kind: 'mean-probability', temperature: 1 },
    views: { augmentationSeed: 0, inputSize: 224, interpolation: 'bilinear' },
    precision: 'float32',
    classCount: CLASSES,
    labels,
    meanLogits,
  };
}

/** Softmaxes of normal logits, sure of themselves as trained teachers are. */
function makeRows(seed: number): LabelRows {
  const meanLogits = new Float32Array(BATCH * CLASSES);
  Rng.seeded(seed).fillNormal(meanLogits, 3);
  const probabilities = meanLogits.map(Math.exp);
  for (let row = 0; row < BATCH; row++) {
    const p = probabilities.subarray(row * CLASSES, (row + 1) * CLASSES);
    const sum = p.reduce((a, b) => a + b, 0);
    for (let c = 0; c < CLASSES; c++) p[c]! /= sum;
  }
  return { probabilities, meanLogits };
}

/** Processor seconds of user and system. */
function secondsOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

function measure(images: number, labels: LabelKey['labels'], meanLogits: boolean): Result {
  const folder = mkdtempSync(join(tmpdir(), 'bench-labels-'));
  try {
    const key = makeKey(images, labels, meanLogits);
    const patterns = Array.from({ length: PATTERNS }, (_, seed) => makeRows(seed));
    const views = new Uint32Array(BATCH);
    const forBatches = (order: Uint32Array, use: (places: Uint32Array, batch: number) => void) => {
      for (let batch = 0; batch < images / BATCH; batch++)
        use(order.subarray(batch * BATCH, (batch + 1) * BATCH), batch);
    };
    const [written, atRandom] = [1, 2].map((seed) => Rng.seeded(seed).permutation(images)) as [
      Uint32Array,
      Uint32Array,
    ];
    const writer = openLabelCache(folder, key, { writable: true });
    const writing = secondsOf(() =>
      forBatches(written, (places, batch) => writer.append(places, views, patterns[batch % PATTERNS]!)),
    );
    writer.close();
    let reader = openLabelCache(folder, key, { writable: false });
    reader.close();
    const opening = secondsOf(() => {
      reader = openLabelCache(folder, key, { writable: false });
    });
    const read = (places: Uint32Array) => {
      if (reader.lookup(places, views).missing.length > 0) throw new Error('A label that was written is missing.');
    };
    const inOrder = secondsOf(() => forBatches(written, read));
    const random = secondsOf(() => forBatches(atRandom, read));
    reader.close();
    return {
      recordBytes: new RecordCodec(key).recordBytes,
      writtenPerSecond: Math.round(images / writing),
      openedPerSecond: Math.round(images / opening),
      readInOrderPerSecond: Math.round(images / inOrder),
      readAtRandomPerSecond: Math.round(images / random),
      randomBatchMs: Number(((random / images) * BATCH * 1000).toFixed(2)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const batches = Math.ceil(Number(process.argv[2] ?? 40 * BATCH) / BATCH);
if (!(batches >= 1)) throw new Error('The number of images must be a whole number.');
const results: Record<string, Result> = {};
for (const { name, labels, meanLogits } of CASES) {
  results[name] = measure(batches * BATCH, labels, meanLogits);
  console.log(name, results[name]);
}
console.log(JSON.stringify({ bench: 'labels', classes: CLASSES, batch: BATCH, images: batches * BATCH, results }));
