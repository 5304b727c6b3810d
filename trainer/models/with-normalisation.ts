/** Networks whose weights want images normalised in another way than ours: they see the same bytes in theirs. */
import { IMAGENET_NORMALISATION, isSameNormalisation, type Normalisation, renormalise } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { FrozenNetwork } from './network.ts';

/** A network that takes images as `normalisePixels` gives them, from one that wants another mean and deviation. Takes it over. */
export function withNormalisation(network: FrozenNetwork, wanted: Normalisation): FrozenNetwork {
  if (isSameNormalisation(wanted, IMAGENET_NORMALISATION)) return network;
  return {
    name: network.name,
    numClasses: network.numClasses,
    weights: network.weights,
    forward: (images) => tf.tidy(() => network.forward(renormalise(images, IMAGENET_NORMALISATION, wanted))),
    dispose: () => network.dispose(),
  };
}
