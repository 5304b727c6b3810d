/**
 * TensorFlow ops that tfjs does not wrap, called by name on the native backend. Everything that uses them keeps a second
 * path in ordinary tfjs ops for the plain backend.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** A tensor as the addon describes it; `dtype` is TensorFlow's number. */
export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** The addon itself. */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number;
  deleteTensor(id: number): void;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  /** Edges 'node:0', joined by commas. */
  runSavedModel(session: number, inputs: number[], inputEdges: string, outputEdges: string): TensorMetadata[];
  deleteSavedModel(session: number): void;
}

/** The part of tfjs-node's backend that is used here. Its own typings need Node typings of another age. */
export interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  /** Replaced for a moment while a step is recorded. */
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): { dtype: number } };
  /** Uploads what JavaScript still holds. */
  getInputTensorIds(tensors: Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): Tensor;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: Tensor[], outputs: number): Tensor[];
}

/** The native backend, or null where plain TensorFlow.js computes. */
export function nativeBackend(): NativeBackend | null {
  return tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as NativeBackend) : null;
}

/** The attribute `T = float32`, which nearly every op wants. */
export function float32Attribute(native: NativeBackend): OpAttribute {
  return { name: 'T', type: native.binding.TF_ATTR_TYPE, value: native.binding.TF_FLOAT };
}

export type Arithmetic = (operation: 'Add' | 'Sub' | 'Mul', a: Tensor, b: Tensor) => Tensor;

/**
 * Elementwise arithmetic on float32 without gradients. tfjs's checks, scopes and tape cost three times what TensorFlow takes
 * for a small tensor, which counts where hundreds of them are updated in every step.
 */
export function arithmetic(): Arithmetic {
  const native = nativeBackend();
  if (native === null) {
    const ops = { Add: tf.add, Sub: tf.sub, Mul: tf.mul };
    return (operation, a, b) => ops[operation](a, b);
  }
  const attributes = [float32Attribute(native)];
  return (operation, a, b) => native.executeSingleOutput(operation, attributes, [a, b]);
}
