/**
 * SENet as Gluon and timm build `senet154`: bottlenecks whose first convolution is half as wide as their grouped 3x3 one,
 * squeeze-and-excitation before the sum, 3x3 shortcuts, a deep stem. (timm's `legacy_senet154` is another network.)
 */
import { type SENetSpec, squeezedChannels } from '@mealtable/protocol/networks-resnet';
import type { Variable } from '@tensorflow/tfjs';
import { forwardConv2d } from '../engine/forward-conv.ts';
import { groupedConv2d } from '../engine/grouped-conv.ts';
import type { LayerBuilder } from './layer-builder.ts';
import type { ConvNorm } from './layers.ts';
import { type Block, buildShortcut, buildStages, deepStem, evenly, type ResidualLayers } from './residual.ts';
import type { SqueezeExcite } from './squeeze-excite.ts';

const EXPANSION = 4;

export function buildSENet(
  spec: SENetSpec,
  numClasses: number,
  builder: LayerBuilder,
): ResidualLayers<ConvNorm, Variable> {
  const stem = deepStem(builder, spec.stemWidth);
  let inputs = 2 * spec.stemWidth;
  const blocks = buildStages(spec.layers, (name, stage, stride) => {
    const planes = spec.channels[stage]!;
    const block = buildBlock(builder, name, spec, inputs, planes, stride);
    inputs = planes * EXPANSION;
    return block;
  });
  return { stem, blocks, classifier: builder.dense('fc', inputs, numClasses) };
}

function buildBlock(
  builder: LayerBuilder,
  name: string,
  { groups, baseWidth }: SENetSpec,
  inputs: number,
  planes: number,
  stride: 1 | 2,
): Block<ConvNorm, Variable> {
  const outputs = planes * EXPANSION;
  const width = Math.floor((planes * baseWidth) / 64) * groups;
  const main = [
    builder.convNorm(`${name}.conv1`, `${name}.bn1`, [1, 1, inputs, width / 2], evenly(1)),
    builder.convNorm(`${name}.conv2`, `${name}.bn2`, [3, 3, width / 2 / groups, width], {
      convolve: (x, filter) => groupedConv2d(x, filter, stride),
      predict: (x, filter) => forwardConv2d(x, filter, stride),
    }),
    builder.convNorm(`${name}.conv3`, `${name}.bn3`, [1, 1, width, outputs], { ...evenly(1), gamma: 0 }),
  ];
  const gate = buildGate(builder, `${name}.se`, outputs);
  const size = stride === 1 ? 1 : 3;
  return { main, gate, shortcut: buildShortcut(builder, name, [size, size, inputs, outputs], stride) };
}

function buildGate(builder: LayerBuilder, name: string, channels: number): SqueezeExcite<Variable> {
  const squeezed = squeezedChannels(channels);
  return {
    reduce: builder.conv(`${name}.fc1`, [1, 1, channels, squeezed], evenly(1)),
    expand: builder.conv(`${name}.fc2`, [1, 1, squeezed, channels], evenly(1)),
  };
}
