/** Which part of an image the network sees: the geometry of torchvision's training and validation transforms. */
import type { Rng } from '../engine/rng.ts';
import type { Box, Interpolation } from './resample.ts';

/** A view: cut `box` out, resize it to `resized`, take `window` of that, mirror it when `flip`. */
export interface View {
  box: Box;
  resized: { width: number; height: number };
  window: Box;
  flip: boolean;
}

/** How images become a network's input. */
export interface Views {
  /** Side of the square input in pixels. */
  inputSize: number;
  /** Validation: the share of the resized image's shorter side that the centre crop keeps. */
  cropFraction: number;
  interpolation: Interpolation;
}

/** As MEAL V2 and torchvision's reference training prepare images: 256 pixels for a crop of 224. */
export const REFERENCE_VIEWS = { cropFraction: 224 / 256, interpolation: 'bilinear' } as const;

const AREA_SCALE = [0.08, 1] as const;
const ASPECT_RATIO = [3 / 4, 4 / 3] as const;
const CROP_TRIES = 10;
const FLIP_PROBABILITY = 0.5;
/** RandomResizedCrop and RandomHorizontalFlip with torchvision's defaults; all randomness comes from `rng`. */
export function randomView(rng: Rng, width: number, height: number, inputSize: number): View {
  return {
    box: randomCrop(rng, width, height),
    resized: { width: inputSize, height: inputSize },
    window: { x: 0, y: 0, width: inputSize, height: inputSize },
    flip: rng.uniform() < FLIP_PROBABILITY,
  };
}

/** Area uniform in 8 to 100 % of the image, aspect ratio log-uniform in 3/4 to 4/3; a centred crop when ten tries do not fit. */
function randomCrop(rng: Rng, width: number, height: number): Box {
  const [logMin, logMax] = [Math.log(ASPECT_RATIO[0]), Math.log(ASPECT_RATIO[1])];
  for (let i = 0; i < CROP_TRIES; i++) {
    const area = width * height * between(rng, ...AREA_SCALE);
    const ratio = Math.exp(between(rng, logMin, logMax));
    const w = roundHalfEven(Math.sqrt(area * ratio));
    const h = roundHalfEven(Math.sqrt(area / ratio));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { x: rng.integer(width - w + 1), y: rng.integer(height - h + 1), width: w, height: h };
    }
  }
  const imageRatio = width / height;
  let [w, h] = [width, height];
  if (imageRatio < ASPECT_RATIO[0]) h = roundHalfEven(width / ASPECT_RATIO[0]);
  else if (imageRatio > ASPECT_RATIO[1]) w = roundHalfEven(height * ASPECT_RATIO[1]);
  return { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * Resize(trunc(inputSize / cropFraction)) of the shorter side, then CenterCrop(inputSize). A longer side shorter than the crop
 * cannot be, as cropFraction is at most 1.
 */
export function centreView(
  width: number,
  height: number,
  { inputSize, cropFraction }: Pick<Views, 'inputSize' | 'cropFraction'>,
): View {
  const shorter = Math.trunc(inputSize / cropFraction);
  const longer = Math.trunc((shorter * Math.max(width, height)) / Math.min(width, height));
  const resized = width <= height ? { width: shorter, height: longer } : { width: longer, height: shorter };
  return {
    box: { x: 0, y: 0, width, height },
    resized,
    window: {
      x: roundHalfEven((resized.width - inputSize) / 2),
      y: roundHalfEven((resized.height - inputSize) / 2),
      width: inputSize,
      height: inputSize,
    },
    flip: false,
  };
}

function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** Python's round(): halves go to the even neighbour. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
