/** An image folder whose classes can be told apart: stripes of a direction, a width and a colour for each, under noise. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { Rng } from '../../trainer/engine/rng.ts';

const [WIDTH, HEIGHT] = [400, 320];
const DIRECTIONS = 8;

export interface StripedImages {
  classes: number;
  trainPerClass: number;
  valPerClass: number;
}

/** Writes `<folder>/{train,val}/<class>/<n>.jpg`, the same files every time. */
export async function makeStripedImages(folder: string, { classes, trainPerClass, valPerClass }: StripedImages) {
  for (const [split, count] of [['train', trainPerClass] as const, ['val', valPerClass] as const])
    for (let label = 0; label < classes; label++) {
      const place = join(folder, split, `class-${String(label).padStart(3, '0')}`);
      await mkdir(place, { recursive: true });
      for (let i = 0; i < count; i++) {
        const pixels = paint(label, Rng.seeded(label).stream(split, i));
        const image = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
        await writeFile(join(place, `${i}.jpg`), await image.jpeg({ quality: 88 }).toBuffer());
      }
    }
}

function paint(label: number, rng: Rng): Uint8Array {
  const angle = ((label % DIRECTIONS) * Math.PI) / DIRECTIONS;
  const frequency = 0.06 + 0.04 * Math.floor(label / DIRECTIONS);
  const colour = [Math.cos(label), Math.cos(2.1 * label), Math.cos(3.7 * label)];
  const [phase, light] = [rng.uniform() * 2 * Math.PI, (rng.uniform() - 0.5) * 60];
  const noise = new Float32Array(WIDTH * HEIGHT * 3);
  rng.fillUniform(noise, -50, 50);
  const pixels = new Uint8ClampedArray(noise.length);
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const [x, y] = [at % WIDTH, Math.floor(at / WIDTH)];
    const stripe = Math.sin((x * Math.cos(angle) + y * Math.sin(angle)) * frequency + phase);
    for (let channel = 0; channel < 3; channel++)
      pixels[3 * at + channel] = 128 + light + 50 * stripe * colour[channel]! + noise[3 * at + channel]!;
  }
  return new Uint8Array(pixels.buffer);
}
