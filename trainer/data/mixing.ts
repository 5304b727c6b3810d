/**
 * What of a batch is mixed with what: CutMix (S. Yun et al., ICCV 2019) puts a box of another image of the batch into each, Mixup
 * (H. Zhang et al., ICLR 2018) blends it in. One draw holds for the whole batch, as in the authors' and MEAL V2's code.
 */
import type { MixingConfig } from '@mealtable/protocol/training-recipe';
import type { Rng } from '../engine/rng.ts';

export interface Mix {
  /** Which image each is mixed with; a permutation of 0..N-1. */
  order: Int32Array;
  /** How much of each image is still its own: of its pixels under CutMix, of every pixel under Mixup. 1: nothing is mixed. */
  share: number;
  /** Rows and columns of the box, [top, bottom, left, right] with the ends left out; empty under Mixup. */
  box: [number, number, number, number];
}

/** The mix of a step: a function of the generator's seed and the step alone, so a resumed run mixes what it would have mixed. */
export function drawMix(
  rng: Rng,
  step: number,
  { kind, alpha, probability }: MixingConfig,
  count: number,
  side: number,
): Mix {
  const drawn = rng.stream('mixing', step);
  const order = Int32Array.from(drawn.permutation(count));
  if (drawn.uniform() >= probability) return { order, share: 1, box: [0, 0, 0, 0] };
  const share = drawBeta(drawn, alpha);
  if (kind === 'mixup') return { order, share, box: [0, 0, 0, 0] };
  const [centreX, centreY] = [drawn.integer(side), drawn.integer(side)];
  const box = cutBox(side, share, centreX, centreY);
  const [top, bottom, left, right] = box;
  return { order, share: 1 - ((bottom - top) * (right - left)) / side ** 2, box };
}

/**
 * A square box of about (1 - share) of the image around a centre, cut off at the image's edges: each side reaches
 * floor(floor(side sqrt(1 - share)) / 2) pixels from the centre.
 */
export function cutBox(side: number, share: number, centreX: number, centreY: number): Mix['box'] {
  const reach = Math.floor(Math.floor(side * Math.sqrt(1 - share)) / 2);
  const within = (place: number) => Math.min(side, Math.max(0, place));
  return [within(centreY - reach), within(centreY + reach), within(centreX - reach), within(centreX + reach)];
}

/** Beta(alpha, alpha), as the share of one of two gamma numbers in their sum. */
export function drawBeta(rng: Rng, alpha: number): number {
  const [a, b] = [drawLogGamma(rng, alpha), drawLogGamma(rng, alpha)];
  return 1 / (1 + Math.exp(b - a));
}

/**
 * The logarithm of a Gamma(shape, 1) number: with a small shape the number itself would be 0. G. Marsaglia, W. Tsang, "A simple
 * method for generating gamma variables", 2000, with their U^(1 / shape) for shapes below 1.
 */
function drawLogGamma(rng: Rng, shape: number): number {
  if (shape < 1) return drawLogGamma(rng, shape + 1) + Math.log(1 - rng.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < x ** 2 / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v);
  }
}
