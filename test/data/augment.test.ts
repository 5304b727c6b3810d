import { expect, test } from 'vitest';
import { centreView, REFERENCE_VIEWS, randomView } from '../../trainer/data/augment.ts';
import { Rng } from '../../trainer/engine/rng.ts';

const viewsOf = (width: number, height: number, count = 4000) =>
  Array.from({ length: count }, (_, i) => randomView(Rng.seeded(1, i), width, height, 32));

test.each([
  [8, 8],
  [500, 375],
  [37, 1000],
  [1, 1],
])('random crops of %i x %i lie inside the image', (width, height) => {
  for (const { box } of viewsOf(width, height)) {
    expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(1);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y + box.height).toBeLessThanOrEqual(height);
  }
});

test('random crops keep 8 to 100 % of the area, ratios of 3/4 to 4/3, and half of them are mirrored', () => {
  const views = viewsOf(1000, 1000);
  const areas = views.map(({ box }) => (box.width * box.height) / 1e6).sort((a, b) => a - b);
  expect(areas[0]).toBeGreaterThan(0.079);
  // Uniform areas, thinned at the top because large crops of extreme ratio do not fit.
  expect(areas[areas.length / 2]).toBeGreaterThan(0.48);
  expect(areas[areas.length / 2]).toBeLessThan(0.54);
  for (const { box } of views) {
    expect(box.width / box.height).toBeGreaterThan(0.745);
    expect(box.width / box.height).toBeLessThan(1.343);
  }
  const flipped = views.filter(({ flip }) => flip).length / views.length;
  expect(Math.abs(flipped - 0.5)).toBeLessThan(0.03);
});

test('an image too narrow for any try gives its centre at the nearest ratio', () => {
  for (const { box } of viewsOf(10, 1000, 50)) expect(box).toEqual({ x: 0, y: 493, width: 10, height: 13 });
  for (const { box } of viewsOf(1000, 9, 50)) expect(box).toEqual({ x: 494, y: 0, width: 12, height: 9 });
});

test('a view follows from its generator alone', () => {
  const draw = () => randomView(Rng.seeded(7).stream('view', 3, 17), 64, 48, 24);
  expect(draw()).toEqual(draw());
  expect(draw()).not.toEqual(randomView(Rng.seeded(7).stream('view', 4, 17), 64, 48, 24));
});

// Resized sizes and crop corners as torchvision computes them: int(256/224*S), int(long*R/short), round half to even.
test.each([
  [500, 375, 224, 341, 256, 58, 16],
  [375, 500, 224, 256, 341, 16, 58],
  [8, 8, 32, 36, 36, 2, 2],
  [8, 8, 24, 27, 27, 2, 2],
  [640, 427, 380, 650, 434, 135, 27],
])('%i x %i at %i: resized to %i x %i, cut at (%i, %i)', (width, height, size, w, h, x, y) => {
  expect(centreView(width, height, { inputSize: size, ...REFERENCE_VIEWS })).toEqual({
    box: { x: 0, y: 0, width, height },
    resized: { width: w, height: h },
    window: { x, y, width: size, height: size },
    flip: false,
  });
});
