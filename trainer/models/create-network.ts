import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import type { Rng } from '../engine/rng.ts';
import { EFFICIENTNET } from './efficientnet.ts';
import { MobileNetwork } from './mobile-network.ts';
import { MOBILENETV3 } from './mobilenetv3.ts';
import type { Network } from './network.ts';
import { ResidualNetwork } from './residual.ts';
import { buildResNet } from './resnet.ts';
import { buildSENet } from './senet.ts';

/**
 * A freshly initialised network; the same `rng` gives the same weights on every machine. Null leaves at 0 what would be drawn:
 * for weights that are loaded next, since drawing a hundred million numbers takes a while. The caller disposes of it.
 */
export function createNetwork(name: NetworkName, numClasses: number, rng: Rng | null): Network {
  if (!Number.isInteger(numClasses) || numClasses < 2) {
    throw new RangeError(`A network needs at least 2 classes, not ${numClasses}.`);
  }
  const spec = NETWORKS[name];
  switch (spec.family) {
    case 'resnet':
      return new ResidualNetwork(name, numClasses, rng, (builder) => buildResNet(spec, numClasses, builder));
    case 'senet':
      return new ResidualNetwork(name, numClasses, rng, (builder) => buildSENet(spec, numClasses, builder));
    case 'efficientnet':
      return new MobileNetwork(name, spec, numClasses, rng, EFFICIENTNET);
    case 'mobilenetv3':
      return new MobileNetwork(name, spec, numClasses, rng, MOBILENETV3);
  }
}
