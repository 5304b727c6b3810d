/**
 * Which crop and flip of an image a label belongs to. A view is a function of (augmentation seed, place of the image in its
 * split, view number) alone, so that any run can draw it again. The loader draws exactly these when it is given the study's
 * augmentation seed and a view number where it wants an epoch.
 */
import { Rng } from '../engine/rng.ts';

/**
 * The view of all images in an epoch: the epochs go through the views 0 to viewsPerImage - 1 in turn, again and again, so
 * each is used equally often and, with at least as many views as epochs, never twice: then training sees what it sees
 * without a cache. Z. Shen, E. Xing, "FKD", arXiv 2112.01528 draws among stored crops at random instead.
 * @param epoch 0-based
 */
export function viewOfEpoch(epoch: number, viewsPerImage: number): number {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new RangeError(`An epoch must be a whole number, not ${epoch}.`);
  if (!Number.isSafeInteger(viewsPerImage) || viewsPerImage < 1)
    throw new RangeError(`There must be at least one view per image, not ${viewsPerImage}.`);
  return epoch % viewsPerImage;
}

/** The generator from which `randomView` takes this view's crop and flip. */
export function viewGenerator(augmentationSeed: number, place: number, view: number): Rng {
  return Rng.seeded(augmentationSeed).stream('view', view, place);
}
