/** What a ResNet or a SENet costs, counted from its spec. */
import type { NetworkCost } from './network-spec.ts';
import { type ResNetSpec, type SENetSpec, squeezedChannels } from './networks-resnet.ts';

/** Adds a layer of `weights` numbers, applied at size x size places, and of `others` that are not multiplied with. */
type Add = (weights: number, size: number, others: number) => void;

/** Parameters at `numClasses` classes; multiply-accumulates per image of `inputSize` x `inputSize` pixels. */
export function residualCost(spec: ResNetSpec | SENetSpec, inputSize: number, numClasses: number): NetworkCost {
  const total: NetworkCost = { parameters: 0, macs: 0 };
  const add: Add = (weights, size, others) => {
    total.parameters += weights + others;
    total.macs += weights * size * size;
  };
  const stemSize = halve(inputSize);
  let inputs = addStem(add, spec, stemSize);
  let size = halve(stemSize);
  for (const [stage, count] of spec.layers.entries()) {
    const planes = spec.channels[stage]!;
    for (let i = 0; i < count; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const after = stride === 2 ? halve(size) : size;
      inputs = addBlock(add, spec, inputs, planes, [size, after]);
      size = after;
    }
  }
  add(inputs * numClasses, 1, numClasses);
  return total;
}

/** Returns the stem's output channels. */
function addStem(add: Add, spec: ResNetSpec | SENetSpec, size: number): number {
  const width = spec.stemWidth;
  if (spec.family === 'resnet' && spec.stem === 'plain') {
    add(7 * 7 * 3 * width, size, 2 * width);
    return width;
  }
  add(9 * 3 * width, size, 2 * width);
  add(9 * width * width, size, 2 * width);
  add(9 * width * 2 * width, size, 4 * width);
  return 2 * width;
}

/** `before` and `after` are the sides of the block's input and output. Returns its output channels. */
function addBlock(
  add: Add,
  spec: ResNetSpec | SENetSpec,
  inputs: number,
  planes: number,
  [before, after]: [number, number],
): number {
  const outputs = spec.family === 'resnet' && spec.block === 'basic' ? planes : 4 * planes;
  if (before !== after || inputs !== outputs) {
    const area = spec.family === 'senet' && before !== after ? 9 : 1;
    add(area * inputs * outputs, after, 2 * outputs);
  }
  if (spec.family === 'senet') {
    const width = Math.floor((planes * spec.baseWidth) / 64) * spec.groups;
    const squeezed = squeezedChannels(outputs);
    add((inputs * width) / 2, before, width);
    add((9 * (width / 2) * width) / spec.groups, after, 2 * width);
    add(width * outputs, after, 2 * outputs);
    add(2 * outputs * squeezed, 1, squeezed + outputs);
  } else if (spec.block === 'basic') {
    add(9 * inputs * planes, after, 2 * planes);
    add(9 * planes * planes, after, 2 * planes);
  } else {
    add(inputs * planes, before, 2 * planes);
    add(9 * planes * planes, after, 2 * planes);
    add(planes * outputs, after, 2 * outputs);
  }
  return outputs;
}

/** Side of what a convolution or pooling with stride 2 leaves of `size`, padded by half its window. */
function halve(size: number): number {
  return Math.ceil(size / 2);
}
