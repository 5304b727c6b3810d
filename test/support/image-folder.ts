/** Small image folders for tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

export interface ImageFolderShape {
  classes: string[];
  /** Images per class. */
  train: number;
  val: number;
  /** Width and height in pixels. */
  size: number;
}

/** Writes PNGs whose pixels are a function of class and number, so that two calls give the same bytes. */
export async function makeImageFolder(root: string, { classes, train, val, size }: ImageFolderShape): Promise<void> {
  for (const [split, count] of [
    ['train', train],
    ['val', val],
  ] as const) {
    for (const [index, name] of classes.entries()) {
      const folder = path.join(root, split, name);
      await mkdir(folder, { recursive: true });
      for (let i = 0; i < count; i++) {
        const pixels = patternPixels(size, size, 3, index * 50 + i * 3 + (split === 'val' ? 1 : 0));
        await writeFile(path.join(folder, `${String(i).padStart(3, '0')}.png`), await encodePng(pixels, size, size, 3));
      }
    }
  }
}

/** Rows of interleaved channels: a pattern with edges and slopes that differs in every channel. */
export function patternPixels(width: number, height: number, channels: number, shift = 0): Uint8Array {
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < channels; k++, at++)
        pixels[at] = (x * 7 + y * 13 + k * 41 + ((x * y) % 17) * 9 + shift) % 256;
  return pixels;
}

export function encodePng(pixels: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
}
