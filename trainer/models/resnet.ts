/**
 * ResNet as timm builds it: "v1.5" bottlenecks (the 3x3 carries the stride) behind a 7x7 stem, or behind a deep one as in
 * Gluon's `resnet152_v1s`.
 */
import type { ResNetSpec } from '@mealtable/protocol/networks-resnet';
import type { Variable } from '@tensorflow/tfjs';
import type { LayerBuilder } from './layer-builder.ts';
import type { ConvNorm } from './layers.ts';
import { type Block, buildShortcut, buildStages, deepStem, evenly, type ResidualLayers } from './residual.ts';

const EXPANSION = { basic: 1, bottleneck: 4 } as const;

export function buildResNet(
  spec: ResNetSpec,
  numClasses: number,
  builder: LayerBuilder,
): ResidualLayers<ConvNorm, Variable> {
  const { stemWidth, channels, block: kind } = spec;
  const stem =
    spec.stem === 'deep'
      ? deepStem(builder, stemWidth)
      : [builder.convNorm('conv1', 'bn1', [7, 7, 3, stemWidth], evenly(2))];
  let inputs = spec.stem === 'deep' ? 2 * stemWidth : stemWidth;
  const blocks = buildStages(spec.layers, (name, stage, stride) => {
    const planes = channels[stage]!;
    const block = buildBlock(builder, name, kind, inputs, planes, stride);
    inputs = planes * EXPANSION[kind];
    return block;
  });
  return { stem, blocks, classifier: builder.dense('fc', inputs, numClasses) };
}

function buildBlock(
  builder: LayerBuilder,
  name: string,
  kind: ResNetSpec['block'],
  inputs: number,
  planes: number,
  stride: 1 | 2,
): Block<ConvNorm, Variable> {
  const outputs = planes * EXPANSION[kind];
  const conv = (index: number, size: number, inputs: number, outputs: number, stride: 1 | 2, gamma = 1): ConvNorm =>
    builder.convNorm(`${name}.conv${index}`, `${name}.bn${index}`, [size, size, inputs, outputs], {
      ...evenly(stride),
      gamma,
    });
  // The last norm starts at 0 (timm's `zero_init_last`): the block starts as its residual path alone.
  const main =
    kind === 'basic'
      ? [conv(1, 3, inputs, planes, stride), conv(2, 3, planes, planes, 1, 0)]
      : [conv(1, 1, inputs, planes, 1), conv(2, 3, planes, planes, stride), conv(3, 1, planes, outputs, 1, 0)];
  return { main, gate: null, shortcut: buildShortcut(builder, name, [1, 1, inputs, outputs], stride) };
}
