import { mobileCost } from './network-cost-mobile.ts';
import { residualCost } from './network-cost-resnet.ts';
import type { NetworkCost } from './network-spec.ts';
import { NETWORKS, type NetworkName } from './networks.ts';

/**
 * What a network costs: trainable parameters at `numClasses` classes, and multiply-accumulates of convolutions and matrix products
 * per image of `inputSize` x `inputSize` pixels (by default its usual size).
 */
export function networkCost(
  name: NetworkName,
  inputSize: number = NETWORKS[name].preprocessing.inputSize,
  numClasses = 1000,
): NetworkCost {
  const spec = NETWORKS[name];
  switch (spec.family) {
    case 'resnet':
    case 'senet':
      return residualCost(spec, inputSize, numClasses);
    case 'efficientnet':
    case 'mobilenetv3':
      return mobileCost(spec, inputSize, numClasses);
  }
}
