/** Packing loses nothing: whatever is written comes back to the last bit, and rollups are what their points say. */
import { expect, test } from 'vitest';
import { decodeChunk, encodeChunk } from '../../server/metrics/codec/chunk.ts';
import { CONSTANT, decodeColumn, encodeColumn, FLOAT32, FLOAT64 } from '../../server/metrics/codec/column.ts';
import { joinTracks } from '../../server/metrics/codec/join-tracks.ts';
import { decodeRollups, encodeRollups, levelsOf, WIDTHS } from '../../server/metrics/codec/rollups.ts';
import { decodeRows, encodeRows, type Rows } from '../../server/metrics/codec/rows.ts';
import { decodeSegment, encodeSegment } from '../../server/metrics/codec/segment.ts';
import { type Track, toTracks } from '../../server/metrics/codec/track.ts';
import { makeRandom } from '../support/random.ts';

const column = (count: number, of: (i: number) => number) => Float64Array.from({ length: count }, (_, i) => of(i));
const NASTY = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 5e-324, -1.7e308, 0.1, 2 ** 53];

/** Rows as trainers write them, and as a broken clock or an odd trainer might. */
function makeRows(random: () => number, count: number): Rows {
  const pick = (...makers: ((i: number) => number)[]) => makers[Math.floor(random() * makers.length)]!;
  const [start, stride, perEpoch] = [
    Math.floor(random() * 1e6),
    1 + Math.floor(random() * 5),
    1 + Math.floor(random() * 999),
  ];
  const step = column(
    count,
    pick(
      (i) => start + stride * i,
      () => Math.floor(random() * 2 ** 31),
      (i) => (i % 17 === 0 ? 5 : i),
    ),
  );
  const at = column(
    count,
    pick(
      (i) => 1.7e12 + 50 * i + Math.floor(random() * 5),
      () => 1.7e12 + random(),
      () => Math.floor(random() * 8.64e15),
      (i) => 1.7e12 - 1_000 * i,
    ),
  );
  const epoch = pick(
    (i) => step[i]! / perEpoch,
    (i) => step[i]! / perEpoch + 1e-12,
    () => random() * 100,
    () => 0,
  );
  return { seq: column(count, (i) => 2 + i + (i > 9 ? 3 : 0)), step, at, epoch: column(count, epoch) };
}

/** Compared as bytes: quicker than value by value, and strict about -0. */
const bitsOf = (values: Float64Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
const rowBits = ({ seq, step, at, epoch }: Rows) => [seq, step, at, epoch].map(bitsOf);
const trackBits = ({ metrics, rows, columns }: Track<number>) => [[...metrics], rowBits(rows), columns.map(bitsOf)];

const SHAPES = [
  (random: () => number) => () => Math.fround(random()),
  (random: () => number) => () => random(),
  () => () => 0.1,
  () => () => Number.NaN,
  (random: () => number) => () => NASTY[Math.floor(random() * NASTY.length)]!,
  (random: () => number) => (i: number) => (i % 40 === 0 ? Number.NaN : Math.fround(random() - 0.5)),
];

test('rows, columns, chunks and segments come back to the last bit', () => {
  const random = makeRandom(7);
  for (let round = 0; round < 60; round++) {
    const count = 1 + Math.floor(random() ** 3 * 3_000);
    const rows = makeRows(random, count);
    expect(rowBits(decodeRows(encodeRows(rows), count))).toEqual(rowBits(rows));
    const track: Track<number> = {
      metrics: [3, 900_000, 17, 2 ** 31 - 1, 20, 21],
      rows,
      columns: SHAPES.map((shape) => column(count, shape(random))),
    };
    for (const values of track.columns) {
      const { kind, bytes } = encodeColumn(values);
      expect(bitsOf(decodeColumn(kind, bytes, count))).toBe(bitsOf(values));
    }
    const other = { metrics: [5], rows: makeRows(random, 3), columns: [column(3, (i) => i)] };
    const chunk = encodeChunk([track, other]);
    expect(decodeChunk(chunk).map(trackBits)).toEqual([track, other].map(trackBits));
    const cut = { metrics: [17], rows, columns: [track.columns[2]!] };
    expect(decodeChunk(chunk, new Set([17])).map(trackBits)).toEqual([trackBits(cut)]);
    expect(trackBits(decodeSegment(encodeSegment(1, track)))).toEqual(trackBits(track));
  }
});

test('a chunk of a later layout is refused instead of misread', () => {
  const chunk = encodeChunk([{ metrics: [1], rows: makeRows(makeRandom(1), 1), columns: [column(1, () => 1)] }]);
  chunk[0] = 2;
  expect(() => decodeChunk(chunk)).toThrow('A chunk has the layout 2');
});

test('a value takes four bytes where that loses nothing, and one that stays the same next to nothing', () => {
  const kindOf = (of: (i: number) => number) => encodeColumn(column(100, of)).kind;
  expect([kindOf((i) => i / 4), kindOf((i) => i / 3), kindOf(() => 1 / 3)]).toEqual([FLOAT32, FLOAT64, CONSTANT]);
  const even = {
    seq: column(8_192, (i) => i + 2),
    step: column(8_192, (i) => i + 1),
    at: column(8_192, (i) => 1e12 + i),
  };
  expect(encodeRows({ ...even, epoch: even.step.map((step) => step / 391) }).length).toBeLessThan(50);
});

test('rollups are what their points say, at every level and with every kind of value', () => {
  const random = makeRandom(11);
  for (const count of [33, 256, 257, 5_000])
    for (const shape of SHAPES) {
      const values = column(count, shape(random));
      const { kind } = encodeColumn(values);
      if (kind === CONSTANT) continue;
      const parts = encodeRollups(values, kind);
      let offset = 0;
      const bytes = Buffer.concat(parts);
      for (let level = 0; level < levelsOf(count); level++) {
        const width = WIDTHS[level]!;
        const rollups = decodeRollups(bytes.subarray(offset), kind, count, level);
        offset += parts.slice(6 * level, 6 * level + 6).reduce((sum, part) => sum + part.length, 0);
        for (let j = 0; j * width < count; j++) {
          const points = [...values.subarray(j * width, (j + 1) * width)];
          const numbers = points.filter((value) => !Number.isNaN(value));
          const finite = points.filter(Number.isFinite);
          expect(rollups.min[j]).toBe(numbers.length === 0 ? Number.NaN : numbers.reduce((a, b) => (b < a ? b : a)));
          expect(rollups.max[j]).toBe(numbers.length === 0 ? Number.NaN : numbers.reduce((a, b) => (b > a ? b : a)));
          expect(rollups.first[j]).toBe(points[0]);
          expect(rollups.last[j]).toBe(points.at(-1));
          expect(rollups.finite[j]).toBe(finite.length);
          const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
          if (finite.length > 0 && Number.isFinite(mean))
            expect(rollups.mean[j]! - mean).toBeLessThan(1e-6 * Math.abs(mean) + 1e-9);
        }
      }
      expect(offset).toBe(bytes.length);
    }
});

test('records with the same metrics are one track, whatever order they name them in', () => {
  const record = (seq: number, values: Record<string, number | 'NaN'>) => ({
    ...{ kind: 'metrics' as const, seq, at: seq, step: seq, epoch: seq, values },
  });
  const tracks = toTracks([
    record(1, { 'a/x': 1, 'a/y': 2 }),
    record(2, { 'a/x': 3, 'a/y': 'NaN' }),
    record(3, { 'a/x': 5 }),
    record(4, { 'a/y': 6, 'a/x': 7 }),
    record(5, {}),
    record(6, { 'a/x': 8, 'a/y': 9, 'a/z': 10 }),
    record(7, { 'a/y': 11, 'a/x': 12 }),
  ]);
  expect(
    tracks.map(({ metrics, rows, columns }) => [metrics, [...rows.seq], columns.map((values) => [...values])]),
  ).toEqual([
    [
      ['a/x', 'a/y'],
      [1, 2, 4, 7],
      [
        [1, 3, 7, 12],
        [2, Number.NaN, 6, 11],
      ],
    ],
    [['a/x'], [3], [[5]]],
    [[], [5], []],
    [['a/x', 'a/y', 'a/z'], [6], [[8], [9], [10]]],
  ]);
});

test('tracks of the same series are joined in the order of their records, whatever order their series have', () => {
  const track = (metrics: number[], seqs: number[]): Track<number> => {
    const rows = Float64Array.from(seqs);
    return {
      metrics,
      rows: { seq: rows, step: rows, at: rows, epoch: rows },
      columns: metrics.map((id) => rows.map((seq) => 100 * id + seq)),
    };
  };
  const [both, one] = joinTracks([track([2, 1], [1, 2]), track([1], [3]), track([1, 2], [4])]);
  expect(both).toEqual({ ...track([1, 2], [1, 2, 4]) });
  expect(one).toEqual(track([1], [3]));
});
