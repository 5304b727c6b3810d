/** JPEG files like ImageNet's: 500 x 375, quality 90, with a photograph's mixture of large shapes, edges and fine grain. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { Rng } from '../../trainer/engine/rng.ts';

export const PHOTO = { width: 500, height: 375, quality: 90 } as const;
/** Each layer has details half as large and, as in photographs, about half as strong. */
const LAYERS = [
  { cell: 160, strength: 60 },
  { cell: 80, strength: 38 },
  { cell: 40, strength: 26 },
  { cell: 20, strength: 18 },
  { cell: 10, strength: 13 },
  { cell: 5, strength: 12 },
  { cell: 2, strength: 20 },
  { cell: 1, strength: 18 },
];
const DISCS = 12;

/** Writes `count` files into `folder` and gives their paths; the same ones every time. */
export async function makePhotos(folder: string, count: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const { width, height, quality } = PHOTO;
    const pixels = paint(Rng.seeded(i));
    const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    paths.push(join(folder, `${i}.jpg`));
    await writeFile(paths[i]!, jpeg);
  }
  return paths;
}

function paint(rng: Rng): Uint8Array {
  const { width, height } = PHOTO;
  const light = new Float32Array(width * height).fill(120);
  const tints = [0, 1, 2].map((channel) => smooth(rng.stream('tint', channel), 90, 22));
  for (const [i, { cell, strength }] of LAYERS.entries()) {
    const layer = smooth(rng.stream('layer', i), cell, strength);
    for (let at = 0; at < light.length; at++) light[at]! += layer[at]!;
  }
  const discs = rng.stream('discs');
  for (let i = 0; i < DISCS; i++) addDisc(light, discs);
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let at = 0; at < light.length; at++)
    for (let channel = 0; channel < 3; channel++) pixels[at * 3 + channel] = light[at]! + tints[channel]![at]!;
  return new Uint8Array(pixels.buffer);
}

/** Random values on a grid, blended between: an even field for large cells, grain for small ones. */
function smooth(rng: Rng, cell: number, strength: number): Float32Array {
  const { width, height } = PHOTO;
  const columns = Math.ceil(width / cell) + 2;
  const grid = new Float32Array(columns * (Math.ceil(height / cell) + 2));
  rng.fillUniform(grid, -strength, strength);
  const field = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [row, down] = [Math.floor(y / cell), (y % cell) / cell];
    for (let x = 0; x < width; x++) {
      const [column, right] = [Math.floor(x / cell), (x % cell) / cell];
      const at = row * columns + column;
      const upper = grid[at]! * (1 - right) + grid[at + 1]! * right;
      const lower = grid[at + columns]! * (1 - right) + grid[at + columns + 1]! * right;
      field[y * width + x] = upper * (1 - down) + lower * down;
    }
  }
  return field;
}

/** A sharp edge all around. */
function addDisc(light: Float32Array, rng: Rng): void {
  const { width, height } = PHOTO;
  const [cx, cy, radius] = [rng.uniform() * width, rng.uniform() * height, 10 + rng.uniform() * 60];
  const change = (rng.uniform() - 0.5) * 160;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if (Math.hypot(x - cx, y - cy) < radius) light[y * width + x]! += change;
}
