/** JPEG and PNG files to raw pixels, equal to Pillow's `Image.open(path).convert('RGB')`: EXIF orientation and colour profiles are ignored, alpha is dropped. */
import sharp from 'sharp';
import type { RawImage } from './resample.ts';

// Many images are decoded at once, so each takes one thread; nothing is opened twice, so libvips need not remember.
sharp.concurrency(1);
sharp.cache(false);

/** Decodes off the calling thread. Rejects with the decoder's reason when the file is missing, damaged or cut short. */
export async function decodeImage(path: string): Promise<RawImage> {
  const { data, info } = await sharp(path, { failOn: 'error', ignoreIcc: true })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (info.channels === 1) return { data, width, height, channels: 1 };
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
  const grey = greyChannel(data);
  return grey === null ? { data, width, height, channels: 3 } : { data: grey, width, height, channels: 1 };
}

/** sharp hands grey images out as three equal channels: one is a third of the memory and of the resampling. */
function greyChannel(rgb: Uint8Array): Uint8Array | null {
  for (let i = 0; i < rgb.length; i += 3) if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return null;
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) => rgb[i * 3]!);
}
