/** What an EfficientNet or a MobileNetV3 costs, counted from its spec. */
import type { NetworkCost } from './network-spec.ts';
import type { MobileBlock, MobileNetworkSpec } from './networks-mobile.ts';

/** Parameters at `numClasses` classes; multiply-accumulates per image of `inputSize` x `inputSize` pixels. */
export function mobileCost(spec: MobileNetworkSpec, inputSize: number, numClasses: number): NetworkCost {
  const total: NetworkCost = { parameters: 0, macs: 0 };
  /** A layer of `weights` numbers that is applied at size x size places, and `others` that are not multiplied with. */
  const add = (weights: number, size: number, others: number): void => {
    total.parameters += weights + others;
    total.macs += weights * size * size;
  };
  let size = Math.ceil(inputSize / 2);
  add(3 * 3 * 3 * spec.stem, size, 2 * spec.stem);
  for (const block of spec.stages.flat()) size = addBlock(add, block, size);
  const last = spec.stages.at(-1)!.at(-1)!.outputs;
  // MobileNetV3 pools before the head's convolution, which has a bias in place of a batch norm.
  if (spec.family === 'mobilenetv3') add(last * spec.head, 1, spec.head);
  else add(last * spec.head, size, 2 * spec.head);
  add(spec.head * numClasses, 1, numClasses);
  return total;
}

/** Returns the side of the block's output. */
function addBlock(
  add: (weights: number, size: number, others: number) => void,
  { kind, kernel, stride, inputs, expanded, outputs, squeezed }: MobileBlock,
  size: number,
): number {
  const after = Math.ceil(size / stride);
  if (kind === 'inverted') add(inputs * expanded, size, 2 * expanded);
  if (kind !== 'conv') add(kernel * kernel * expanded, after, 2 * expanded);
  if (squeezed > 0) add(2 * expanded * squeezed, 1, squeezed + expanded);
  add((kind === 'conv' ? inputs : expanded) * outputs, after, 2 * outputs);
  return after;
}
