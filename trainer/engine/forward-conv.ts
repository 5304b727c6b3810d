import type { Tensor4D } from '@tensorflow/tfjs';
import { float32Attribute, nativeBackend } from './backend.ts';
import { countGroups, groupedConv2d } from './grouped-conv.ts';
import { tf } from './tf.ts';

/**
 * Convolution for prediction, not differentiable. `x` [N, H, W, C], `filter` [k, k, C / groups, outputs] with odd k, padded by
 * (k - 1) / 2 on every side. TensorFlow's op takes groups and paddings that its gradients on CPUs and tfjs do not: about half
 * the time of `groupedConv2d`, and no padded copy of `x` where the stride is 2.
 */
export function forwardConv2d(x: Tensor4D, filter: Tensor4D, stride: 1 | 2): Tensor4D {
  const native = nativeBackend();
  const groups = countGroups(x, filter);
  const margin = (filter.shape[0] - 1) / 2;
  if (native === null) {
    return groups === 1 ? (tf.conv2d(x, filter, stride, margin) as Tensor4D) : groupedConv2d(x, filter, stride);
  }
  const { TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_BOOL } = native.binding;
  // 'SAME' pads evenly at a stride of 1, and oneDNN knows it in more places than explicit paddings.
  const padding = margin === 0 ? 'VALID' : stride === 1 ? 'SAME' : 'EXPLICIT';
  const attributes = [
    float32Attribute(native),
    { name: 'strides', type: TF_ATTR_INT, value: [1, stride, stride, 1] },
    { name: 'padding', type: TF_ATTR_STRING, value: padding },
    {
      name: 'explicit_paddings',
      type: TF_ATTR_INT,
      value: padding === 'EXPLICIT' ? [0, 0, margin, margin, margin, margin, 0, 0] : [],
    },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
    { name: 'dilations', type: TF_ATTR_INT, value: [1, 1, 1, 1] },
    { name: 'use_cudnn_on_gpu', type: TF_ATTR_BOOL, value: true },
  ];
  return native.executeSingleOutput('Conv2D', attributes, [x, filter]) as Tensor4D;
}
