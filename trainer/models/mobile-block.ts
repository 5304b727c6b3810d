/**
 * The blocks of EfficientNet and MobileNetV3: depthwise separable convolutions, and inverted residuals that widen before the
 * depthwise convolution. M. Sandler et al., "MobileNetV2", CVPR 2018. Names and order of the variables are timm's.
 */
import type { MobileActivation, MobileBlock, MobileNetworkSpec } from '@mealtable/protocol/networks-mobile';
import type { Tensor, Tensor4D, Variable } from '@tensorflow/tfjs';
import { activate } from '../engine/activations.ts';
import { depthwiseConv } from '../engine/depthwise-conv.ts';
import { tf } from '../engine/tf.ts';
import type { LayerBuilder } from './layer-builder.ts';
import type { ConvNorm, Convolve } from './layers.ts';
import { type Activation, copySqueezeExcite, type SqueezeExcite, squeezeExcite } from './squeeze-excite.ts';

/** `L` is what stands at each convolution that has a batch norm, `T` at each weight of the layers without one. */
export interface BlockLayers<L, T extends Tensor = Tensor> {
  activation: MobileActivation;
  /** 1x1, to more channels. */
  expand: L | null;
  depthwise: L | null;
  gate: SqueezeExcite<T> | null;
  /** 1x1, to the block's outputs. */
  project: L;
  /** After a plain 1x1 convolution, but not after the last one of a residual block. */
  activatesOutput: boolean;
  addsInput: boolean;
}

/** The two activations of squeeze-and-excitation. */
export interface GateActivations {
  squeezed: Activation;
  gate: Activation;
}

export const pointwise: Convolve = (x, filter) => tf.conv2d(x, filter, 1, 'valid');

/** The blocks of all stages, one after the other. */
export function buildBlocks(spec: MobileNetworkSpec, builder: LayerBuilder): BlockLayers<ConvNorm, Variable>[] {
  return spec.stages.flatMap((stage, s) =>
    stage.map((block, i) => buildBlock(builder, `blocks.${s}.${i}`, block, spec.padding)),
  );
}

function buildBlock(
  builder: LayerBuilder,
  name: string,
  block: MobileBlock,
  padding: MobileNetworkSpec['padding'],
): BlockLayers<ConvNorm, Variable> {
  const { kind, kernel, stride, inputs, expanded, outputs, activation } = block;
  let norms = 0;
  const nextNorm = (): string => `${name}.bn${++norms}`;
  const conv1x1 = (conv: string, from: number, to: number): ConvNorm =>
    builder.convNorm(`${name}.${conv}`, nextNorm(), [1, 1, from, to], { convolve: pointwise });
  if (kind === 'conv') {
    const project = conv1x1('conv', inputs, outputs);
    return { activation, expand: null, depthwise: null, gate: null, project, activatesOutput: true, addsInput: false };
  }
  const expand = kind === 'inverted' ? conv1x1('conv_pw', inputs, expanded) : null;
  const depthwise = builder.convNorm(`${name}.conv_dw`, nextNorm(), [kernel, kernel, expanded, 1], {
    convolve: (x, filter) => depthwiseConv(x, filter, stride, padding),
    layout: 'depthwise',
  });
  const gate = block.squeezed > 0 ? buildGate(builder, `${name}.se`, expanded, block.squeezed) : null;
  const project = conv1x1(kind === 'inverted' ? 'conv_pwl' : 'conv_pw', expanded, outputs);
  const addsInput = stride === 1 && inputs === outputs;
  return { activation, expand, depthwise, gate, project, activatesOutput: false, addsInput };
}

function buildGate(builder: LayerBuilder, name: string, channels: number, squeezed: number): SqueezeExcite<Variable> {
  const options = { convolve: pointwise, bias: 0 };
  return {
    reduce: builder.conv(`${name}.conv_reduce`, [1, 1, channels, squeezed], options),
    expand: builder.conv(`${name}.conv_expand`, [1, 1, squeezed, channels], options),
  };
}

/** `apply` runs a convolution and its batch norm. Only the result and what a gradient needs outlive the call. */
export function runBlock<L>(
  block: BlockLayers<L>,
  input: Tensor4D,
  apply: (layer: L, x: Tensor4D) => Tensor4D,
  { squeezed, gate }: GateActivations,
): Tensor4D {
  return tf.tidy(() => {
    let x = input;
    if (block.expand !== null) x = activate(block.activation, apply(block.expand, x));
    if (block.depthwise !== null) x = activate(block.activation, apply(block.depthwise, x));
    if (block.gate !== null) x = squeezeExcite(block.gate, x, squeezed, gate);
    x = apply(block.project, x);
    if (block.activatesOutput) x = activate(block.activation, x);
    return block.addsInput ? x.add(input) : x;
  });
}

/** The same block for inference, with every convolution that has a batch norm replaced by `fold` of it. */
export function foldBlock<L, M>(block: BlockLayers<L, Variable>, fold: (layer: L) => M): BlockLayers<M> {
  const { expand, depthwise, gate, project } = block;
  return {
    ...block,
    expand: expand && fold(expand),
    depthwise: depthwise && fold(depthwise),
    gate: gate && copySqueezeExcite(gate),
    project: fold(project),
  };
}
