/** What is known of a network before it is built: its family's shape, how its images are prepared, its published weights. */
import type { MobileNetworkSpec } from './networks-mobile.ts';
import type { ResNetSpec, SENetSpec } from './networks-resnet.ts';

export type NetworkSpec = ResNetSpec | SENetSpec | MobileNetworkSpec;

type Rgb = readonly [number, number, number];

/** How images are prepared for published weights: red, green and blue lie in 0..1 before mean and deviation are applied. */
export interface Preprocessing {
  /** Side of the square input in pixels. */
  inputSize: number;
  /** Share of the resized image's shorter side that the centre crop keeps. */
  cropFraction: number;
  interpolation: 'bilinear' | 'bicubic';
  mean: Rgb;
  std: Rgb;
}

/** Weights that somebody trained on ImageNet-1k and published; with the network's name they make timm's `arch.tag`. */
export interface PublishedWeights {
  tag: string;
  preprocessing: Preprocessing;
  /** Percent of ImageNet's validation images, as timm's results table states them for `preprocessing`; null if it does not. */
  top1: number | null;
  top5: number | null;
}

/** What every family's spec has. */
export interface CommonSpec {
  /** Smallest square input in pixels that leaves every stage at least one pixel that is not all padding. */
  minInputSize: number;
  /** For weights trained here, and for the published ones that do not say otherwise. */
  preprocessing: Preprocessing;
  weights: readonly PublishedWeights[];
}

/** Of a network with a given class count at a given input size. */
export interface NetworkCost {
  /** Trainable numbers; running statistics are not counted. */
  parameters: number;
  /** Multiply-accumulates of convolutions and matrix products, per image. */
  macs: number;
}

/** timm's usual settings: ImageNet's mean and deviation, 224 pixels cut from 256. */
export const IMAGENET_PREPROCESSING: Preprocessing = {
  inputSize: 224,
  cropFraction: 0.875,
  interpolation: 'bicubic',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
