/**
 * A network as a list of layers with names and shapes but without numbers: what every format is written from. Conversion needs no
 * TensorFlow for it, works for images of any size and batches of any length, and gives the same bytes on every machine. That the
 * sketches are the networks of trainer/models is proven layer by layer in what they compute: test/exports.
 */
import type { MobileActivation } from '@mealtable/protocol/networks-mobile';

export type ActivationName = MobileActivation | 'sigmoid' | 'hard-sigmoid';

interface Named {
  /** timm's name of the module; that of the layer's output at the same time. */
  name: string;
}
interface OneInput {
  /** Name of the layer whose output it takes. */
  input: string;
}

/** A convolution with the batch norm behind it, or with a bias. */
export interface ConvLayer extends Named, OneInput {
  kind: 'conv';
  kernel: number;
  stride: 1 | 2;
  /** 'even': (kernel - 1) / 2 on every side. 'same': as TensorFlow, where an odd pixel goes bottom and right. */
  padding: 'even' | 'same';
  inputs: number;
  outputs: number;
  groups: number;
  norm: { name: string; epsilon: number } | null;
}
export interface ActivationLayer extends Named, OneInput {
  kind: 'activation';
  activation: ActivationName;
}
/** 3x3, stride 2, one pixel of padding on every side; what it takes is not negative. */
export interface MaxPoolLayer extends Named, OneInput {
  kind: 'max-pool';
}
/** Over all pixels, of which one is left. */
export interface MeanLayer extends Named, OneInput {
  kind: 'mean';
  channels: number;
}
/** 'multiply': an image by one number per channel. 'add': two images. */
export interface JoinLayer extends Named {
  kind: 'add' | 'multiply';
  inputs: [string, string];
}
/** From one pixel to logits. */
export interface DenseLayer extends Named, OneInput {
  kind: 'dense';
  inputs: number;
  outputs: number;
}
export type Layer = ConvLayer | ActivationLayer | MaxPoolLayer | MeanLayer | JoinLayer | DenseLayer;

export interface Sketch {
  /** In the order of computing; the last one gives the logits. */
  layers: readonly Layer[];
}

/** What the first layer takes: normalised images. */
export const IMAGES = 'images';

/** One filter per channel. */
export const isDepthwise = ({ groups, inputs, outputs }: ConvLayer): boolean =>
  groups > 1 && groups === inputs && groups === outputs;

export type ConvOptions = Pick<ConvLayer, 'inputs' | 'outputs' | 'norm'> &
  Partial<Pick<ConvLayer, 'kernel' | 'stride' | 'padding' | 'groups'>>;

/** Adds layers; each method gives the name of the output. */
export class SketchBuilder {
  readonly layers: Layer[] = [];

  /** 1x1 unless given, ungrouped, padded evenly. */
  conv(name: string, input: string, options: ConvOptions): string {
    return this.#add({ kind: 'conv', name, input, kernel: 1, stride: 1, padding: 'even', groups: 1, ...options });
  }

  activate(name: string, input: string, activation: ActivationName): string {
    return this.#add({ kind: 'activation', name, input, activation });
  }

  maxPool(name: string, input: string): string {
    return this.#add({ kind: 'max-pool', name, input });
  }

  mean(name: string, input: string, channels: number): string {
    return this.#add({ kind: 'mean', name, input, channels });
  }

  join(kind: JoinLayer['kind'], name: string, a: string, b: string): string {
    return this.#add({ kind, name, inputs: [a, b] });
  }

  dense(name: string, input: string, inputs: number, outputs: number): string {
    return this.#add({ kind: 'dense', name, input, inputs, outputs });
  }

  #add(layer: Layer): string {
    this.layers.push(layer);
    return layer.name;
  }
}
