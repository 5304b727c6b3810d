/** Keys, and labels that are a function of (image, view), so that any process can tell right ones from wrong ones. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../trainer/engine/rng.ts';
import { hashKey, LABEL_FORMAT_VERSION, type LabelKey } from '../../trainer/labels/key.ts';
import { type LabelRows, RecordCodec } from '../../trainer/labels/record-codec.ts';

export const IMAGE_COUNT = 60;

export const TOP_5 = { kind: 'top-k', k: 5 } as const;

export function makeKey(change: Partial<LabelKey> = {}): LabelKey {
  const normalisation = { mean: [0.5, 0.5, 0.5] as const, std: [0.25, 0.25, 0.25] as const };
  return {
    formatVersion: LABEL_FORMAT_VERSION,
    dataset: { fingerprint: 'digits', imageCount: IMAGE_COUNT },
    teachers: ['a', 'b'].map((letter) => ({
      network: `resnet18_${letter}`,
      weights: letter.repeat(64),
      share: 1,
      normalisation: { mean: [...normalisation.mean], std: [...normalisation.std] },
    })),
    ensemble: { kind: 'mean-probability', temperature: 1 },
    views: { augmentationSeed: 3, inputSize: 32, interpolation: 'bilinear' },
    precision: 'float32',
    classCount: 12,
    labels: TOP_5,
    meanLogits: true,
    ...change,
  };
}

/** Rows as two made-up teachers give them; `spread` sets how sure they are. */
export function labelsOf(
  { classCount, meanLogits }: Pick<LabelKey, 'classCount' | 'meanLogits'>,
  places: ArrayLike<number>,
  views: ArrayLike<number>,
  spread = 3,
): LabelRows {
  const probabilities = new Float32Array(places.length * classCount);
  const logits = new Float32Array(places.length * classCount);
  for (let i = 0; i < places.length; i++) {
    for (const teacher of [0, 1]) {
      const row = new Float32Array(classCount);
      Rng.seeded(0, 'labels', teacher, places[i]!, views[i]!).fillNormal(row, spread);
      const sum = row.reduce((s, z) => s + Math.exp(z), 0);
      for (const [c, z] of row.entries()) {
        probabilities[i * classCount + c]! += Math.exp(z) / sum / 2;
        logits[i * classCount + c]! += z / 2;
      }
    }
  }
  return { probabilities, meanLogits: meanLogits ? logits : null };
}

/** The same, as a cache must return them. */
export function storedLabelsOf(key: LabelKey, places: ArrayLike<number>, views: ArrayLike<number>): LabelRows {
  const codec = new RecordCodec(key);
  const rows = labelsOf(key, places, views);
  const stored = codec.allocate(places.length);
  const words = new Uint16Array(codec.recordBytes / 2);
  for (let i = 0; i < places.length; i++) {
    codec.encode(rows, i, places[i]!, views[i]!, words, 0);
    codec.decode(words, 0, stored, i);
  }
  return stored;
}

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

export async function withFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'labels-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Paths of a key's segments, oldest first. */
export function segmentsOf(folder: string, key: LabelKey): string[] {
  const own = join(folder, hashKey(key));
  return (existsSync(own) ? readdirSync(own) : []).sort().map((name) => join(own, name));
}
