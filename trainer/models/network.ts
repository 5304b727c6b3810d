/** What every trainable network offers, whatever its architecture. */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { LoadOptions } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import type { TensorSource } from '../weights/tensor-source.ts';

export interface Network {
  readonly name: NetworkName;
  readonly numClasses: number;
  /** Trainable weights under timm's names ('layer1.0.conv1.weight'), in TensorFlow's layout: conv HWIO, dense [in, out]. */
  readonly parameters: ReadonlyMap<string, Variable>;
  /** Batch-norm running statistics under timm's names ('bn1.running_mean'); saved, never trained. */
  readonly buffers: ReadonlyMap<string, Variable>;
  /**
   * Logits [batch, numClasses] for float32 images [batch, height, width, 3]. With `training`, batch norm uses the batch's
   * statistics and moves the running ones as a side effect, off the gradient tape; call it once per step.
   * The caller owns the result; inside `tf.tidy` or `computeGradients` nothing else stays behind.
   */
  forward(images: Tensor4D, training: boolean): Tensor2D;
  /** Weights in PyTorch's layout (OIHW, [out, in]) with `num_batches_tracked`, so that timm loads it with strict=True. */
  toStateDict(): Promise<StateDict>;
  /** The same tensor by tensor, without a second copy of the network in memory. */
  toSource(): TensorSource;
  /** Replaces every weight and statistic. Throws one Error that lists missing and unexpected keys and wrong shapes, changing nothing. */
  loadStateDict(stateDict: StateDict): void;
  /** The same tensor by tensor. When reading itself fails halfway, the network is half loaded: dispose of it. */
  load(source: TensorSource, options?: LoadOptions): Promise<void>;
  /**
   * A copy for inference with every batch norm folded into its convolution, a quarter faster than `forward(images, false)`:
   * for teachers and for validation. Later training of this network does not change it. The caller disposes of it.
   */
  freeze(): FrozenNetwork;
  dispose(): void;
}

/** A network that only predicts; not differentiable in its weights. */
export interface FrozenNetwork {
  readonly name: NetworkName;
  readonly numClasses: number;
  /** Every tensor that `forward` reads besides the images; they never change. */
  readonly weights: readonly Tensor[];
  /** Logits [batch, numClasses] for float32 images [batch, height, width, 3], owned by the caller. */
  forward(images: Tensor4D): Tensor2D;
  dispose(): void;
}
