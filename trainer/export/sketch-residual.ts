/** ResNets and SENets as sketches; trainer/models/residual.ts, resnet.ts and senet.ts are the networks. */
import { type ResNetSpec, type SENetSpec, squeezedChannels } from '@mealtable/protocol/networks-resnet';
import { type ConvOptions, IMAGES, type Sketch, SketchBuilder } from './sketch.ts';

const EPSILON = 1e-5;
const normed = (name: string): NonNullable<ConvOptions['norm']> => ({ name, epsilon: EPSILON });

/** What a block's convolutions are like, in their order. */
type BlockConvs = (
  inputs: number,
  planes: number,
  stride: 1 | 2,
) => { convs: Omit<ConvOptions, 'norm'>[]; outputs: number };

export function sketchResidual(spec: ResNetSpec | SENetSpec, numClasses: number): Sketch {
  const builder = new SketchBuilder();
  const isDeep = spec.family === 'senet' || spec.stem === 'deep';
  let x = isDeep ? deepStem(builder, spec.stemWidth) : plainStem(builder, spec.stemWidth);
  let inputs = isDeep ? 2 * spec.stemWidth : spec.stemWidth;
  const blockConvs = spec.family === 'senet' ? groupedBottleneck(spec) : spec.block === 'basic' ? basic : bottleneck;
  for (const [stage, count] of spec.layers.entries())
    for (let i = 0; i < count; i++) {
      const name = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const { convs, outputs } = blockConvs(inputs, spec.channels[stage]!, stride);
      x = block(builder, { name, input: x, inputs, outputs, stride, convs, isSqueezing: spec.family === 'senet' });
      inputs = outputs;
    }
  builder.dense('fc', builder.mean('global_pool', x, inputs), inputs, numClasses);
  return builder;
}

function plainStem(builder: SketchBuilder, outputs: number): string {
  const x = builder.conv('conv1', IMAGES, { kernel: 7, stride: 2, inputs: 3, outputs, norm: normed('bn1') });
  return builder.maxPool('maxpool', builder.activate('act1', x, 'relu'));
}

function deepStem(builder: SketchBuilder, width: number): string {
  let x = builder.conv('conv1.0', IMAGES, {
    kernel: 3,
    stride: 2,
    inputs: 3,
    outputs: width,
    norm: normed('conv1.1'),
  });
  x = builder.activate('conv1.2', x, 'relu');
  x = builder.conv('conv1.3', x, { kernel: 3, inputs: width, outputs: width, norm: normed('conv1.4') });
  x = builder.activate('conv1.5', x, 'relu');
  x = builder.conv('conv1.6', x, { kernel: 3, inputs: width, outputs: 2 * width, norm: normed('bn1') });
  return builder.maxPool('maxpool', builder.activate('act1', x, 'relu'));
}

interface BlockShape {
  name: string;
  input: string;
  inputs: number;
  outputs: number;
  stride: 1 | 2;
  convs: Omit<ConvOptions, 'norm'>[];
  /** SENets: squeeze-and-excitation before the sum, and 3x3 convolutions on shortcuts that halve the image. */
  isSqueezing: boolean;
}

function block(builder: SketchBuilder, { name, input, inputs, outputs, stride, convs, isSqueezing }: BlockShape) {
  let x = input;
  for (const [k, options] of convs.entries()) {
    if (k > 0) x = builder.activate(`${name}.act${k}`, x, 'relu');
    x = builder.conv(`${name}.conv${k + 1}`, x, { ...options, norm: normed(`${name}.bn${k + 1}`) });
  }
  if (isSqueezing) {
    const squeezed = squeezedChannels(outputs);
    let gate = builder.mean(`${name}.se.mean`, x, outputs);
    gate = builder.conv(`${name}.se.fc1`, gate, { inputs: outputs, outputs: squeezed, norm: null });
    gate = builder.activate(`${name}.se.act`, gate, 'relu');
    gate = builder.conv(`${name}.se.fc2`, gate, { inputs: squeezed, outputs, norm: null });
    x = builder.join('multiply', `${name}.se`, x, builder.activate(`${name}.se.gate`, gate, 'sigmoid'));
  }
  const hasShortcut = stride !== 1 || inputs !== outputs;
  const kernel = isSqueezing && stride !== 1 ? 3 : 1;
  const norm = normed(`${name}.downsample.1`);
  const residual = hasShortcut
    ? builder.conv(`${name}.downsample.0`, input, { kernel, stride, inputs, outputs, norm })
    : input;
  return builder.activate(`${name}.act${convs.length}`, builder.join('add', `${name}.add`, x, residual), 'relu');
}

const basic: BlockConvs = (inputs, planes, stride) => ({
  convs: [
    { kernel: 3, stride, inputs, outputs: planes },
    { kernel: 3, inputs: planes, outputs: planes },
  ],
  outputs: planes,
});

const bottleneck: BlockConvs = (inputs, planes, stride) => ({
  convs: [
    { inputs, outputs: planes },
    { kernel: 3, stride, inputs: planes, outputs: planes },
    { inputs: planes, outputs: 4 * planes },
  ],
  outputs: 4 * planes,
});

const groupedBottleneck =
  ({ groups, baseWidth }: SENetSpec): BlockConvs =>
  (inputs, planes, stride) => {
    const width = Math.floor((planes * baseWidth) / 64) * groups;
    return {
      convs: [
        { inputs, outputs: width / 2 },
        { kernel: 3, stride, groups, inputs: width / 2, outputs: width },
        { inputs: width, outputs: 4 * planes },
      ],
      outputs: 4 * planes,
    };
  };
