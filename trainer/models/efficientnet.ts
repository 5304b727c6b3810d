/** EfficientNet as timm builds it, without its training-time dropout. M. Tan and Q. Le, "EfficientNet", ICML 2019. */
import { swish } from '../engine/activations.ts';
import { tf } from '../engine/tf.ts';
import { pointwise } from './mobile-block.ts';
import type { MobileFamily } from './mobile-network.ts';

export const EFFICIENTNET: MobileFamily = {
  gateActivations: { squeezed: swish, gate: (x) => tf.sigmoid(x) },
  buildHead: (spec, inputs, builder) => ({
    place: 'before-pooling',
    conv: builder.convNorm('conv_head', 'bn2', [1, 1, inputs, spec.head], { convolve: pointwise }),
  }),
};
