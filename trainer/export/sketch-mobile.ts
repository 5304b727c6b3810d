/** EfficientNets and MobileNetV3s as sketches; trainer/models/mobile-network.ts and mobile-block.ts are the networks. */
import type { MobileBlock, MobileNetworkSpec } from '@mealtable/protocol/networks-mobile';
import { type ActivationName, type ConvOptions, IMAGES, type Sketch, SketchBuilder } from './sketch.ts';

export function sketchMobile(spec: MobileNetworkSpec, numClasses: number): Sketch {
  const { padding, stem, activation, head } = spec;
  const builder = new SketchBuilder();
  const norm = { name: 'bn1', epsilon: spec.epsilon };
  let x = builder.conv('conv_stem', IMAGES, { kernel: 3, stride: 2, padding, inputs: 3, outputs: stem, norm });
  x = builder.activate('act1', x, activation);
  for (const [stage, blocks] of spec.stages.entries())
    for (const [i, block] of blocks.entries()) x = addBlock(builder, spec, block, `blocks.${stage}.${i}`, x);
  const inputs = spec.stages.at(-1)!.at(-1)!.outputs;
  if (spec.family === 'efficientnet') {
    const norm = { name: 'bn2', epsilon: spec.epsilon };
    x = builder.conv('conv_head', x, { inputs, outputs: head, norm });
    x = builder.activate('act2', x, activation);
    x = builder.mean('global_pool', x, head);
  } else {
    // MobileNetV3 widens only once the pixels are one.
    x = builder.mean('global_pool', x, inputs);
    x = builder.conv('conv_head', x, { inputs, outputs: head, norm: null });
    x = builder.activate('act2', x, activation);
  }
  builder.dense('classifier', x, head, numClasses);
  return builder;
}

/** The two activations of squeeze-and-excitation. */
const GATES: Record<MobileNetworkSpec['family'], { squeezed: ActivationName; gate: ActivationName }> = {
  efficientnet: { squeezed: 'swish', gate: 'sigmoid' },
  mobilenetv3: { squeezed: 'relu', gate: 'hard-sigmoid' },
};

function addBlock(
  builder: SketchBuilder,
  { family, padding, epsilon }: MobileNetworkSpec,
  { kind, kernel, stride, inputs, expanded, outputs, squeezed, activation }: MobileBlock,
  name: string,
  input: string,
): string {
  let norms = 0;
  const nextNorm = (): ConvOptions['norm'] => ({ name: `${name}.bn${++norms}`, epsilon });
  let x = input;
  if (kind === 'conv') {
    x = builder.conv(`${name}.conv`, x, { inputs, outputs, norm: nextNorm() });
    return builder.activate(`${name}.act1`, x, activation);
  }
  if (kind === 'inverted') {
    x = builder.conv(`${name}.conv_pw`, x, { inputs, outputs: expanded, norm: nextNorm() });
    x = builder.activate(`${name}.act1`, x, activation);
  }
  const grouped = { inputs: expanded, outputs: expanded, groups: expanded };
  x = builder.conv(`${name}.conv_dw`, x, { kernel, stride, padding, ...grouped, norm: nextNorm() });
  x = builder.activate(`${name}.act_dw`, x, activation);
  if (squeezed > 0) {
    let gate = builder.mean(`${name}.se.mean`, x, expanded);
    gate = builder.conv(`${name}.se.conv_reduce`, gate, { inputs: expanded, outputs: squeezed, norm: null });
    gate = builder.activate(`${name}.se.act1`, gate, GATES[family].squeezed);
    gate = builder.conv(`${name}.se.conv_expand`, gate, { inputs: squeezed, outputs: expanded, norm: null });
    x = builder.join('multiply', `${name}.se`, x, builder.activate(`${name}.se.gate`, gate, GATES[family].gate));
  }
  const project = kind === 'inverted' ? 'conv_pwl' : 'conv_pw';
  x = builder.conv(`${name}.${project}`, x, { inputs: expanded, outputs, norm: nextNorm() });
  return stride === 1 && inputs === outputs ? builder.join('add', `${name}.add`, x, input) : x;
}
