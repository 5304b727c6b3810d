/** Gradients of a loss with respect to a named set of variables. */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

/** What a forward pass returns: the scalar to descend, and any tensors that the caller wants to look at afterwards. */
export type ForwardResult = { loss: Scalar } & { [part: string]: Tensor };

export interface Gradients<R extends ForwardResult> {
  /** The forward pass's result. */
  values: R;
  /** One gradient per name, shaped like its variable; null where the loss does not depend on it. */
  gradients: Map<string, Tensor | null>;
}

/**
 * d(loss)/d(variable) for every entry of `parameters`. Unlike `tf.variableGrads` it is keyed by the caller's names (the
 * student and the discriminator may both have an 'fc.bias') and can hand back more than the loss. All tensors returned
 * belong to the caller (or to the `tf.tidy` around the call); everything else is disposed of.
 */
export function computeGradients<R extends ForwardResult>(
  parameters: ReadonlyMap<string, Variable>,
  forward: () => R,
): Gradients<R> {
  const names = [...parameters.keys()];
  const kept: { [part: string]: Tensor } = {};
  const result = tf.tidy(() => {
    const { value, grads } = tf.engine().gradients(
      () => {
        const { loss, ...parts } = forward();
        // The engine keeps the loss alive and nothing else. Clones are kept, since a part may be the loss or the caller's own.
        for (const [key, part] of Object.entries(parts)) kept[key] = tf.keep(part.clone());
        return loss;
      },
      [...parameters.values()],
      undefined,
      true,
    );
    const parts = Object.fromEntries(Object.entries(kept).map(([key, part]) => [key, part.clone()]));
    tf.dispose(kept);
    return { values: { ...parts, loss: value as Scalar } as R, grads };
  });
  return { values: result.values, gradients: new Map(names.map((name, i) => [name, result.grads[i] ?? null])) };
}
