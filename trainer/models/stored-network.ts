/** What every network does alike: its variables live in a `ParameterStore`, its frozen copy owns its own tensors. */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';
import { type LoadOptions, ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import type { FrozenNetwork, Network } from './network.ts';

/** A family extends it with its layers, which it creates in `this.store` in the order of PyTorch's state dict. */
export abstract class StoredNetwork implements Network {
  readonly name: NetworkName;
  readonly numClasses: number;
  protected readonly store = new ParameterStore();

  constructor(name: NetworkName, numClasses: number) {
    this.name = name;
    this.numClasses = numClasses;
  }

  abstract forward(images: Tensor4D, training: boolean): Tensor2D;
  abstract freeze(): FrozenNetwork;

  get parameters(): ReadonlyMap<string, Variable> {
    return this.store.parameters;
  }

  get buffers(): ReadonlyMap<string, Variable> {
    return this.store.buffers;
  }

  toStateDict(): Promise<StateDict> {
    return this.store.toStateDict();
  }

  toSource(): TensorSource {
    return this.store.toSource();
  }

  loadStateDict(stateDict: StateDict): void {
    this.store.loadStateDict(stateDict);
  }

  load(source: TensorSource, options?: LoadOptions): Promise<void> {
    return this.store.load(source, options);
  }

  dispose(): void {
    this.store.dispose();
  }

  /** A frozen network that owns every tensor found anywhere in `layers` and runs them with `forward`. */
  protected frozen<L extends object>(layers: L, forward: (layers: L, images: Tensor4D) => Tensor2D): FrozenNetwork {
    return {
      name: this.name,
      numClasses: this.numClasses,
      weights: tensorsIn(layers),
      forward: (images) => forward(layers, images),
      // `tf.dispose` walks the whole structure.
      dispose: () => tf.dispose(layers as never),
    };
  }
}

/** Every tensor anywhere in a structure of objects and arrays, each once. */
function tensorsIn(structure: object): Tensor[] {
  const found = new Set<Tensor>();
  const visit = (value: unknown): void => {
    if (value instanceof tf.Tensor) found.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(structure);
  return [...found];
}
