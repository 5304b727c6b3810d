import type { NetworkName } from '@mealtable/protocol/networks';
import { NETWORKS } from '@mealtable/protocol/networks';
import type { Rng } from '../engine/rng.ts';
import type { Network } from './network.ts';
import { ResNet } from './resnet.ts';

/** A freshly initialised network; the same `rng` gives the same weights on every machine. The caller disposes of it. */
export function createNetwork(name: NetworkName, numClasses: number, rng: Rng): Network {
  if (!Number.isInteger(numClasses) || numClasses < 2) {
    throw new RangeError(`A network needs at least 2 classes, not ${numClasses}.`);
  }
  return new ResNet(name, NETWORKS[name], numClasses, rng);
}
