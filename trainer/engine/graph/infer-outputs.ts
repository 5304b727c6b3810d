/**
 * Types and shapes of what the heavy ops of a step give, so that a recording need not compute them. Ops that are not listed here
 * are left to TensorFlow.
 */
import type { GraphNode, NodeOutput } from './graph.ts';

type Attributes = GraphNode['attributes'];
/** `numbers(k)` are the values of a constant input, null for anything else. */
type Infer = (
  inputs: NodeOutput[],
  attributes: Attributes,
  numbers: (k: number) => number[] | null,
) => NodeOutput[] | null;

/** Outputs of `op`, or null where only TensorFlow knows. */
export function inferOutputs(
  op: string,
  inputs: NodeOutput[],
  attributes: Attributes,
  numbers: (k: number) => number[] | null,
): NodeOutput[] | null {
  return RULES[op]?.(inputs, attributes, numbers) ?? null;
}

const likeFirst: Infer = ([x]) => [x!];

const broadcast: Infer = ([a, b]) => {
  const rank = Math.max(a!.shape.length, b!.shape.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const [m, n] = [a!, b!].map((x) => x.shape[x.shape.length - rank + i] ?? 1) as [number, number];
    if (m !== n && m !== 1 && n !== 1) return null;
    shape.push(m === 1 ? n : m);
  }
  return [{ dtype: a!.dtype, shape }];
};

const cast: Infer = ([x], { DstT }) => (DstT?.kind === 'type' ? [{ dtype: DstT.value, shape: x!.shape }] : null);

const multiply: Infer = ([a, b], attributes) => {
  if (a!.shape.length !== b!.shape.length) return null;
  const isSet = (name: string) => attributes[name]?.kind === 'bool' && attributes[name].value;
  const [m, k] = a!.shape.slice(-2);
  const [l, n] = b!.shape.slice(-2);
  const rows = isSet('transpose_a') || isSet('adj_x') ? k! : m!;
  const columns = isSet('transpose_b') || isSet('adj_y') ? l! : n!;
  const batch = a!.shape.slice(0, -2);
  if (batch.join() !== b!.shape.slice(0, -2).join()) return null;
  return [{ dtype: a!.dtype, shape: [...batch, rows, columns] }];
};

/** Spatial sizes of an NHWC window op. */
function slide(x: NodeOutput, window: number[], attributes: Attributes): [number, number] | null {
  const { strides, padding, dilations, explicit_paddings, data_format } = attributes;
  if (strides?.kind !== 'ints' || padding?.kind !== 'string') return null;
  if (data_format?.kind === 'string' && data_format.value !== 'NHWC') return null;
  const margins = explicit_paddings?.kind === 'ints' ? explicit_paddings.value : [];
  const size = (axis: 1 | 2) => {
    const stride = strides.value[axis]!;
    const spread = dilations?.kind === 'ints' ? dilations.value[axis]! : 1;
    const reach = (window[axis - 1]! - 1) * spread + 1;
    if (padding.value === 'SAME') return Math.ceil(x.shape[axis]! / stride);
    const margin = padding.value === 'EXPLICIT' ? margins[2 * axis]! + margins[2 * axis + 1]! : 0;
    return Math.floor((x.shape[axis]! + margin - reach) / stride) + 1;
  };
  return [size(1), size(2)];
}

const convolve: Infer = ([x, filter], attributes) => {
  const sizes = slide(x!, filter!.shape, attributes);
  return sizes && [{ dtype: x!.dtype, shape: [x!.shape[0]!, ...sizes, filter!.shape[3]!] }];
};

const convolveDepthwise: Infer = ([x, filter], attributes) => {
  const sizes = slide(x!, filter!.shape, attributes);
  const channels = filter!.shape[2]! * filter!.shape[3]!;
  return sizes && [{ dtype: x!.dtype, shape: [x!.shape[0]!, ...sizes, channels] }];
};

/** A gradient of a convolution is told its shape by the constant input at `place`. */
const shapedBy =
  (place: number): Infer =>
  (inputs, _, numbers) => {
    const shape = numbers(place);
    return shape && [{ dtype: inputs.at(-1)!.dtype, shape }];
  };

/** The last output is the device's own business: nothing but the gradient looks at it. */
const normalise: Infer = ([x, gamma]) => [x!, gamma!, gamma!, gamma!, gamma!, { dtype: gamma!.dtype, shape: [0] }];
const normaliseGradient: Infer = ([, x, gamma]) => {
  const empty: NodeOutput = { dtype: gamma!.dtype, shape: [0] };
  return [x!, gamma!, gamma!, empty, empty];
};

const RULES: Readonly<Record<string, Infer>> = {
  ...Object.fromEntries(
    [
      ...[
        'Relu',
        'Relu6',
        'ReluGrad',
        'Relu6Grad',
        'Sigmoid',
        'SigmoidGrad',
        'Tanh',
        'Elu',
        'Identity',
        'AddN',
        'BiasAdd',
      ],
      ...[
        'Exp',
        'Log',
        'Log1p',
        'Neg',
        'Abs',
        'Sqrt',
        'Rsqrt',
        'Square',
        'Reciprocal',
        'Softmax',
        'LogSoftmax',
        'Sign',
      ],
    ].map((op) => [op, likeFirst]),
  ),
  ...Object.fromEntries(
    ['Add', 'AddV2', 'Sub', 'Mul', 'Div', 'RealDiv', 'DivNoNan', 'MulNoNan', 'Maximum', 'Minimum'].map((op) => [
      op,
      broadcast,
    ]),
  ),
  Cast: cast,
  MatMul: multiply,
  BatchMatMul: multiply,
  BatchMatMulV2: multiply,
  Conv2D: convolve,
  Conv2DBackpropInput: shapedBy(0),
  Conv2DBackpropFilter: shapedBy(1),
  DepthwiseConv2dNative: convolveDepthwise,
  DepthwiseConv2dNativeBackpropInput: shapedBy(0),
  DepthwiseConv2dNativeBackpropFilter: shapedBy(1),
  FusedBatchNormV3: normalise,
  FusedBatchNormGradV3: normaliseGradient,
};
