import { expect, test } from 'vitest';
import { type LabelRows, RecordCodec } from '../../trainer/labels/record-codec.ts';
import { labelsOf, range, TOP_5 } from './support.ts';

const FULL = { kind: 'full' } as const;
const TOP_10 = { kind: 'top-k', k: 10 } as const;

function roundTrip(codec: RecordCodec, rows: LabelRows, row = 0): LabelRows {
  const words = new Uint16Array(codec.recordBytes / 2);
  codec.encode(rows, row, 1, 2, words, 0);
  const decoded = codec.allocate(1);
  codec.decode(words, 0, decoded, 0);
  return decoded;
}

/** Largest share of the documented bound that a decoded number is away from the one it stands for. */
function worstShare(decoded: Float32Array, ideal: ArrayLike<number>, numbers: number): number {
  const share = Array.from(decoded, (d, c) => {
    const bound = 1.002 * (2 ** -10 + numbers * 2 ** -25) * ideal[c]! + 2 ** -24;
    return Math.abs(d - ideal[c]!) / bound;
  });
  return Math.max(...share);
}

const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, x) => sum + x, 0);

test('a record takes the bytes that its parts need', () => {
  const bytes = (labels: typeof FULL | typeof TOP_10 | typeof TOP_5, meanLogits: boolean) =>
    new RecordCodec({ classCount: 1000, labels, meanLogits }).recordBytes;
  expect(bytes(TOP_5, false)).toBe(5 * 4 + 2 + 4);
  expect(bytes(TOP_10, false)).toBe(10 * 4 + 2 + 4);
  expect(bytes(FULL, false)).toBe(2000 + 4);
  expect(bytes(FULL, true)).toBe(2000 + 4 + 2000 + 4);
});

test('the most probable classes are kept, of equal ones the lower, and the rest is spread evenly', () => {
  const codec = new RecordCodec({ classCount: 8, labels: TOP_5, meanLogits: false });
  const probabilities = Float32Array.from([1, 16, 8, 1, 16, 20, 1, 1], (x) => x / 64);
  const decoded = roundTrip(codec, { probabilities, meanLogits: null }).probabilities;
  const rest = 1 / 64;
  expect([...decoded]).toEqual([1 / 64, 16 / 64, 8 / 64, rest, 16 / 64, 20 / 64, rest, rest].map(Math.fround));
  const uneven = Float32Array.from([4, 16, 8, 0, 16, 16, 1, 3], (x) => x / 64);
  const spread = roundTrip(codec, { probabilities: uneven, meanLogits: null }).probabilities;
  expect([...spread].map((x) => x * 64)).toEqual(
    [4, 16, 8, 4 / 3, 16, 16, 4 / 3, 4 / 3].map((x) => expect.closeTo(x, 3)),
  );
});

for (const spread of [0.01, 1, 3, 10]) {
  test(`top-k is FKD's marginal smoothing within the bound, for logits of deviation ${spread}`, () => {
    const classCount = 1000;
    const rows = labelsOf({ classCount, meanLogits: false }, range(20), range(20), spread);
    for (const labels of [TOP_5, TOP_10]) {
      const codec = new RecordCodec({ classCount, labels, meanLogits: false });
      for (let row = 0; row < 20; row++) {
        const original = Array.from(rows.probabilities.subarray(row * classCount, (row + 1) * classCount));
        const total = sumOf(original);
        const p = original.map((x) => x / total);
        const top = range(classCount)
          .sort((a, b) => p[b]! - p[a]! || a - b)
          .slice(0, labels.k);
        const mass = sumOf(p.filter((_, c) => !top.includes(c)));
        const ideal = p.map((x, c) => (top.includes(c) ? x : mass / (classCount - labels.k)));
        const decoded = roundTrip(codec, rows, row).probabilities;
        expect(worstShare(decoded, ideal, labels.k + 1)).toBeLessThanOrEqual(1);
        expect(sumOf(decoded)).toBeCloseTo(1, 5);
        const moved = sumOf(p.map((x, c) => Math.abs(x - ideal[c]!))) / 2;
        expect(moved).toBeLessThanOrEqual(mass * (1 - 1 / (classCount - labels.k)) + 1e-9);
      }
    }
  });

  test(`full labels and mean logits come back up to float16, for logits of deviation ${spread}`, () => {
    const classCount = 1000;
    const codec = new RecordCodec({ classCount, labels: FULL, meanLogits: true });
    const rows = labelsOf({ classCount, meanLogits: true }, range(20), range(20), spread);
    for (let i = 0; i < rows.meanLogits!.length; i++) rows.meanLogits![i]! += 100;
    for (let row = 0; row < 20; row++) {
      const [begin, end] = [row * classCount, (row + 1) * classCount];
      const decoded = roundTrip(codec, rows, row);
      const p = rows.probabilities.subarray(begin, end);
      const total = sumOf(p);
      expect(
        worstShare(
          decoded.probabilities,
          p.map((x) => x / total),
          classCount,
        ),
      ).toBeLessThanOrEqual(1);
      expect(sumOf(decoded.probabilities)).toBeCloseTo(1, 5);
      const z = rows.meanLogits!.subarray(begin, end);
      const mean = sumOf(z) / classCount;
      for (const [c, found] of decoded.meanLogits!.entries()) {
        const bound = (2 ** -11 + 2 ** -22) * Math.abs(z[c]! - mean) + 2 ** -24 * (1 + Math.abs(mean));
        expect(Math.abs(found - z[c]!)).toBeLessThanOrEqual(bound);
      }
    }
  });
}

test('what is no distribution, and logits that float16 cannot hold, are never stored', () => {
  const codec = new RecordCodec({ classCount: 12, labels: TOP_5, meanLogits: true });
  const spoil = (change: (rows: LabelRows) => void) => () => {
    const rows = labelsOf({ classCount: 12, meanLogits: true }, [1], [2]);
    change(rows);
    roundTrip(codec, rows);
  };
  expect(spoil(() => {})).not.toThrow();
  const wrong: ((rows: LabelRows) => void)[] = [
    ({ probabilities }) => probabilities.set([Number.NaN]),
    ({ probabilities }) => probabilities.set([-0.1, probabilities[0]! + probabilities[1]! + 0.1]),
    ({ probabilities }) => probabilities.fill(0.5),
    ({ probabilities }) => probabilities.fill(0),
    ({ meanLogits }) => meanLogits!.set([Number.NaN]),
    ({ meanLogits }) => meanLogits!.set([1e6]),
  ];
  for (const change of wrong) expect(spoil(change)).toThrow(RangeError);
  expect(() => codec.requireShape({ probabilities: new Float32Array(12), meanLogits: null }, 1)).toThrow(RangeError);
});

test('a record is intact only with every bit as it was, and only for its own image and view', () => {
  const codec = new RecordCodec({ classCount: 12, labels: TOP_5, meanLogits: false });
  const words = new Uint16Array(codec.recordBytes / 2);
  codec.encode(labelsOf({ classCount: 12, meanLogits: false }, [4], [9]), 0, 4, 9, words, 0);
  expect(codec.isIntact(words, 0, 4, 9)).toBe(true);
  expect([codec.isIntact(words, 0, 9, 4), codec.isIntact(words, 0, 5, 9), codec.isIntact(words, 0, 4, 8)]).toEqual([
    false,
    false,
    false,
  ]);
  for (let bit = 0; bit < words.length * 16; bit++) {
    words[bit >> 4]! ^= 1 << (bit & 15);
    expect(codec.isIntact(words, 0, 4, 9)).toBe(false);
    words[bit >> 4]! ^= 1 << (bit & 15);
  }
});
