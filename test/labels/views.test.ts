import { expect, test } from 'vitest';
import { randomView } from '../../trainer/data/augment.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { viewGenerator, viewOfEpoch } from '../../trainer/labels/views.ts';
import { range } from './support.ts';

test('epochs go through the views in turn', () => {
  expect(range(8).map((epoch) => viewOfEpoch(epoch, 3))).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
  expect(range(5).map((epoch) => viewOfEpoch(epoch, 5))).toEqual([0, 1, 2, 3, 4]);
  for (const [epoch, views] of [
    [-1, 3],
    [0.5, 3],
    [0, 0],
  ] as const)
    expect(() => viewOfEpoch(epoch, views)).toThrow(RangeError);
});

test('a view is drawn from the stream that the loader uses for the epoch of that number', () => {
  const drawn = randomView(viewGenerator(5, 7, 2), 40, 30, 16);
  expect(drawn).toEqual(randomView(Rng.seeded(5).stream('view', 2, 7), 40, 30, 16));
});

test('seed, image and view each make another crop', () => {
  const crops = [
    [5, 7, 2],
    [6, 7, 2],
    [5, 8, 2],
    [5, 7, 3],
  ].map(([seed, place, view]) => JSON.stringify(randomView(viewGenerator(seed!, place!, view!), 400, 300, 16).box));
  expect(new Set(crops).size).toBe(4);
});
