/** Rows of a tensor in another order, by indices that a captured step is given anew each time. */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs';
import { nativeBackend } from './backend.ts';
import { DTYPE_NUMBERS, type DType } from './graph/graph.ts';
import { tf } from './tf.ts';

/**
 * Row `order[i]` of `x` (float32 or int32) as row i; the caller's. tfjs's own gather looks at the indices in JavaScript, so they would
 * be frozen into a graph. They must lie within the rows. Not differentiable.
 */
export function takeRows<T extends Tensor>(x: T, order: Tensor1D): T {
  const native = nativeBackend();
  if (native === null) return tf.gather(x, order);
  const { TF_ATTR_TYPE, TF_ATTR_INT } = native.binding;
  const type = (name: string, dtype: DType) => ({ name, type: TF_ATTR_TYPE, value: DTYPE_NUMBERS[dtype] });
  const attributes = [
    { name: 'batch_dims', type: TF_ATTR_INT, value: 0 },
    type('Tparams', x.dtype as DType),
    type('Tindices', 'int32'),
    type('Taxis', 'int32'),
  ];
  return tf.tidy(
    () => native.executeSingleOutput('GatherV2', attributes, [x, order, tf.scalar(0, 'int32')]) as unknown as T,
  );
}
