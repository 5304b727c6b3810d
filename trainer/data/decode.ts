/** JPEG and PNG to raw pixels, equal to Pillow's `Image.open(path).convert('RGB')`: EXIF orientation and colour profiles are ignored, alpha is dropped. */
import sharp from 'sharp';
import { decodeJpeg } from './jpeg.ts';
import { jpegComponents } from './jpeg-header.ts';
import type { RawImage } from './resample.ts';

// Many images are decoded at once, so each takes one thread; nothing is opened twice, so libvips need not remember.
sharp.concurrency(1);
sharp.cache(false);

/** Decoded, three bytes each: larger pictures are refused rather than let them exhaust a host's memory. */
const MAX_PIXELS = 2 ** 27;

/**
 * Of several pictures in one file the first counts, of 16 bits the upper 8.
 * Rejects with the decoder's reason when the file is damaged, cut short or too large.
 */
export async function decodeImage(file: Buffer): Promise<RawImage> {
  return decodeJpeg(file) ?? decodeWithSharp(file);
}

/** Every kind of file. */
export async function decodeWithSharp(file: Buffer): Promise<RawImage> {
  const isCmyk = jpegComponents(file) === 4;
  const options = { failOn: 'error', ignoreIcc: true, limitInputPixels: MAX_PIXELS } as const;
  const pipeline = isCmyk
    ? sharp(file, options).pipelineColourspace('cmyk').toColourspace('cmyk')
    : sharp(file, options).removeAlpha();
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (isCmyk && info.channels === 4) return { data: cmykToRgb(data), width, height, channels: 3 };
  if (info.channels === 1) return { data, width, height, channels: 1 };
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
  const grey = greyChannel(data);
  return grey === null ? { data, width, height, channels: 3 } : { data: grey, width, height, channels: 1 };
}

/** sharp hands grey images out as three equal channels: one is a third of the memory and of the resampling. */
function greyChannel(rgb: Uint8Array): Uint8Array | null {
  for (let i = 0; i < rgb.length; i += 3) if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return null;
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) grey[i] = rgb[i * 3]!;
  return grey;
}

/** Pillow's formula, which knows no inks: what black leaves of the light, less each colour's share of that. */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const light = 255 - cmyk[from + 3]!;
    for (let channel = 0; channel < 3; channel++) rgb[to++] = light - divideBy255(cmyk[from + channel]! * light);
  }
  return rgb;
}

/** Rounded, for 0 to 255 x 255. */
function divideBy255(product: number): number {
  const x = product + 128;
  return ((x >> 8) + x) >> 8;
}
