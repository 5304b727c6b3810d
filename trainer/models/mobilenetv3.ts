/** MobileNetV3 as timm builds it, without its training-time dropout. A. Howard et al., "Searching for MobileNetV3", ICCV 2019. */
import { hardSigmoid } from '../engine/activations.ts';
import { relu } from '../engine/relu.ts';
import { pointwise } from './mobile-block.ts';
import type { MobileFamily } from './mobile-network.ts';

export const MOBILENETV3: MobileFamily = {
  gateActivations: { squeezed: relu, gate: hardSigmoid },
  buildHead: (spec, inputs, builder) => ({
    place: 'after-pooling',
    conv: builder.conv('conv_head', [1, 1, inputs, spec.head], { convolve: pointwise, bias: 0 }),
  }),
};
