/**
 * Which ops may compute in 16 bits. The idea of an allow list and of ops that follow their neighbours is that of TensorFlow's
 * own `auto_mixed_precision` pass (tensorflow/core/grappler/optimizers/auto_mixed_precision_lists.h). An op in none of these
 * lists stays float32: Exp, LogSoftmax, Softmax, optimiser updates, oneDNN's own ops (which refuse 16 bits on processors without
 * AVX-512), anything unknown.
 */

/** Where tensor cores are, and nearly all of a step's arithmetic. Always in 16 bits; they add up in float32. */
export const ALLOW: ReadonlySet<string> = new Set([
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
  'MatMul',
  'BatchMatMul',
  'BatchMatMulV2',
]);

/** Bound by memory, harmless in 16 bits: they take part where they pass feature maps from one op of ALLOW to another. */
export const INFER: ReadonlySet<string> = new Set([
  // Batch norm normalises in 16 bits what it measures in float32: see TYPED_PORTS.
  'FusedBatchNormV3',
  'FusedBatchNormGradV3',
  'Relu',
  'ReluGrad',
  'Relu6',
  'Relu6Grad',
  'LeakyRelu',
  'LeakyReluGrad',
  'Elu',
  'EluGrad',
  'Sigmoid',
  'SigmoidGrad',
  'Tanh',
  'TanhGrad',
  'Add',
  'AddV2',
  'AddN',
  'Sub',
  'Mul',
  'RealDiv',
  'Neg',
  'Maximum',
  'Minimum',
  'ClipByValue',
  'BiasAdd',
  'MaxPool',
  'MaxPoolGrad',
  'AvgPool',
  'AvgPoolGrad',
  'Pad',
  'PadV2',
  'MirrorPad',
  'Reshape',
  'Transpose',
  'Squeeze',
  'ExpandDims',
  'ConcatV2',
  'Slice',
  'StridedSlice',
  'Split',
  'SplitV',
  'Pack',
  'Unpack',
  'Tile',
  'BroadcastTo',
  'Select',
  'SelectV2',
  'Identity',
  'ResizeBilinear',
]);

/**
 * A path of maps may lead through them, but they stay float32: in 16 bits they would add up in 16 bits on some devices, and a
 * pooling adds up thousands of numbers.
 */
export const BRIDGE: ReadonlySet<string> = new Set(['Mean', 'Sum']);

/** In 16 bits wherever all that they read is: they end a chain of feature maps in something small or of another type. */
export const FOLLOW: ReadonlySet<string> = new Set([
  'BiasAddGrad',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Equal',
  'NotEqual',
]);

/** They make a float32 tensor of something that is none; in 16 bits where only 16-bit ops read it. */
export const SOURCE: ReadonlySet<string> = new Set(['Cast', 'Fill']);

/** The attribute with the element type, where it is not `T`. */
const TYPE_ATTRIBUTES: Readonly<Record<string, string>> = { Cast: 'DstT' };

/** The attribute of `op` that says in which type it computes. */
export function typeAttribute(op: string): string {
  return TYPE_ATTRIBUTES[op] ?? 'T';
}

/**
 * The inputs and outputs that have the type of `typeAttribute`, where those are not simply all that are float32. Batch norm's
 * scale, offset, statistics and reserve space are of type `U`, which stays float32.
 */
export const TYPED_PORTS: Readonly<Record<string, { inputs: readonly number[]; outputs: readonly number[] }>> = {
  FusedBatchNormV3: { inputs: [0], outputs: [0] },
  FusedBatchNormGradV3: { inputs: [0, 1], outputs: [0] },
  // Its source is of type `SrcT`.
  Cast: { inputs: [], outputs: [0] },
};
