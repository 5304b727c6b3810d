/**
 * EfficientNets and MobileNetV3s as data. M. Tan and Q. Le, "EfficientNet", ICML 2019; A. Howard et al., "Searching for
 * MobileNetV3", ICCV 2019; names, rounding and parameter keys are timm's. `tf_` marks networks whose published weights come
 * from TensorFlow: they pad and normalise as TensorFlow does. `_w8` is a quarter as wide (8 channels in the stem) and half as
 * deep as the original, `_025` a quarter as wide: small enough to try things out on a processor.
 */
import { type CommonSpec, IMAGENET_PREPROCESSING, type Preprocessing, type PublishedWeights } from './network-spec.ts';

export type MobileActivation = 'relu' | 'swish' | 'hard-swish';

/** Input and output are added where `stride` is 1 and `inputs` equals `outputs`, except in a 'conv'. */
export interface MobileBlock {
  /** 'separable': depthwise, then 1x1; 'inverted': 1x1 to `expanded` channels, depthwise, 1x1; 'conv': one 1x1 convolution. */
  kind: 'separable' | 'inverted' | 'conv';
  /** Of the depthwise convolution; 1 for a 'conv'. */
  kernel: 1 | 3 | 5;
  stride: 1 | 2;
  inputs: number;
  /** Channels of the depthwise convolution. */
  expanded: number;
  outputs: number;
  /** Channels in the middle of squeeze-and-excitation; 0 for none. */
  squeezed: number;
  activation: MobileActivation;
}

export interface MobileNetworkSpec extends CommonSpec {
  family: 'efficientnet' | 'mobilenetv3';
  /** Where an uneven number of padding pixels goes: 'same' bottom and right, as in TensorFlow; 'even' does not leave one. */
  padding: 'same' | 'even';
  /** Added to the variance in batch norm. */
  epsilon: number;
  /** Output channels of the first convolution. */
  stem: number;
  /** Activation outside of the blocks. */
  activation: MobileActivation;
  stages: readonly (readonly MobileBlock[])[];
  /** Channels in front of the classifier. */
  head: number;
}

type EfficientNetName = `tf_efficientnet_b${0 | 1 | 2 | 3 | 4}` | 'efficientnet_b0' | `${'tf_' | ''}efficientnet_b0_w8`;
type MobileNetV3Name =
  | `tf_mobilenetv3_${'small_075' | 'small_100' | 'large_100'}`
  | `mobilenetv3_${'small_050' | 'small_075' | 'small_100' | 'large_100'}`
  | `${'tf_' | ''}mobilenetv3_${'small' | 'large'}_025`;
export type MobileNetworkName = EfficientNetName | MobileNetV3Name;

/** Repeats, kernel, stride of the first block, expansion, channels; the blocks of EfficientNet-B0. */
const EFFICIENTNET_STAGES: [number, 3 | 5, 1 | 2, number, number][] = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
];

/** Kernel, stride, expansion, channels, whether squeeze-and-excitation, activation; the rows of one line are a stage. */
type MobileNetV3Row = [3 | 5, 1 | 2, number, number, boolean, 'relu' | 'hard-swish'];
const MOBILENETV3_STAGES: Record<'small' | 'large', MobileNetV3Row[][]> = {
  small: [
    [[3, 2, 1, 16, true, 'relu']],
    [
      [3, 2, 4.5, 24, false, 'relu'],
      [3, 1, 3.67, 24, false, 'relu'],
    ],
    [[5, 2, 4, 40, true, 'hard-swish'], ...repeat<MobileNetV3Row>(2, [5, 1, 6, 40, true, 'hard-swish'])],
    repeat<MobileNetV3Row>(2, [5, 1, 3, 48, true, 'hard-swish']),
    [[5, 2, 6, 96, true, 'hard-swish'], ...repeat<MobileNetV3Row>(2, [5, 1, 6, 96, true, 'hard-swish'])],
  ],
  large: [
    [[3, 1, 1, 16, false, 'relu']],
    [
      [3, 2, 4, 24, false, 'relu'],
      [3, 1, 3, 24, false, 'relu'],
    ],
    [[5, 2, 3, 40, true, 'relu'], ...repeat<MobileNetV3Row>(2, [5, 1, 3, 40, true, 'relu'])],
    [
      [3, 2, 6, 80, false, 'hard-swish'],
      [3, 1, 2.5, 80, false, 'hard-swish'],
      ...repeat<MobileNetV3Row>(2, [3, 1, 2.3, 80, false, 'hard-swish']),
    ],
    repeat<MobileNetV3Row>(2, [3, 1, 6, 112, true, 'hard-swish']),
    [[5, 2, 6, 160, true, 'hard-swish'], ...repeat<MobileNetV3Row>(2, [5, 1, 6, 160, true, 'hard-swish'])],
  ],
};
/** Channels of MobileNetV3's last 1x1 convolution, scaled with the width, and of its head, which is not. */
const MOBILENETV3_END = { small: [576, 1024], large: [960, 1280] } as const;
const MOBILENETV3_STEM = 16;

const INCEPTION: Partial<Preprocessing> = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: 'bilinear' };

/** Results are those of timm's results table. */
function published(tag: string, preprocessing: Preprocessing, top1: number, top5: number): PublishedWeights {
  return { tag, preprocessing, top1, top5 };
}

/** Width and depth multiply those of B0; each result is a tag's top-1 and top-5. */
function efficientNet(
  padding: MobileNetworkSpec['padding'],
  [width, depth]: [number, number],
  more: Partial<Preprocessing>,
  results: Record<string, [number, number]>,
): MobileNetworkSpec {
  const stem = roundToEights(32 * width);
  let inputs = stem;
  const stages = EFFICIENTNET_STAGES.map(([repeats, kernel, stride, expansion, channels]) => {
    const outputs = roundToEights(channels * width);
    return repeat(Math.ceil(repeats * depth), null).map((_, index): MobileBlock => {
      const block: MobileBlock = {
        kind: expansion === 1 ? 'separable' : 'inverted',
        kernel,
        stride: index === 0 ? stride : 1,
        inputs,
        expanded: inputs * expansion,
        outputs,
        squeezed: Math.round(inputs / 4),
        activation: 'swish',
      };
      inputs = outputs;
      return block;
    });
  });
  const preprocessing = { ...IMAGENET_PREPROCESSING, ...more };
  return {
    family: 'efficientnet',
    ...convention(padding),
    stem,
    activation: 'swish',
    stages,
    head: roundToEights(1280 * width),
    preprocessing,
    weights: Object.entries(results).map(([tag, result]) => published(tag, preprocessing, ...result)),
  };
}

function mobileNetV3(
  padding: MobileNetworkSpec['padding'],
  size: 'small' | 'large',
  width: number,
  weights: { tag: string; top1: number; top5: number } | null,
): MobileNetworkSpec {
  let inputs = MOBILENETV3_STEM;
  const stages = MOBILENETV3_STAGES[size].map((rows) =>
    rows.map(([kernel, stride, expansion, channels, squeezes, activation]): MobileBlock => {
      const outputs = roundToEights(channels * width);
      const expanded = roundToEights(inputs * expansion);
      const squeezed = squeezes ? roundToEights(expanded / 4) : 0;
      const kind = expansion === 1 ? 'separable' : 'inverted';
      const block: MobileBlock = { kind, kernel, stride, inputs, expanded, outputs, squeezed, activation };
      inputs = outputs;
      return block;
    }),
  );
  const [last, head] = MOBILENETV3_END[size];
  const outputs = roundToEights(last * width);
  const activation = 'hard-swish';
  stages.push([{ kind: 'conv', kernel: 1, stride: 1, inputs, expanded: outputs, outputs, squeezed: 0, activation }]);
  const preprocessing = { ...IMAGENET_PREPROCESSING, ...(padding === 'same' ? INCEPTION : {}) };
  return {
    family: 'mobilenetv3',
    ...convention(padding),
    stem: MOBILENETV3_STEM,
    activation,
    stages,
    head,
    preprocessing,
    weights: weights === null ? [] : [published(weights.tag, preprocessing, weights.top1, weights.top5)],
  };
}

function convention(padding: MobileNetworkSpec['padding']) {
  return { padding, epsilon: padding === 'same' ? 1e-3 : 1e-5, minInputSize: 16 } as const;
}

/** The multiple of 8 that is nearest, but not below 90 % of `channels` and not below 8. */
function roundToEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

function repeat<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

export const MOBILE_NETWORKS: Readonly<Record<MobileNetworkName, MobileNetworkSpec>> = {
  tf_efficientnet_b0: efficientNet('same', [1, 1], {}, { aa_in1k: [76.882, 93.27], ns_jft_in1k: [78.67, 94.374] }),
  tf_efficientnet_b1: efficientNet(
    'same',
    [1, 1.1],
    { inputSize: 240, cropFraction: 0.882 },
    { aa_in1k: [78.83, 94.198], ns_jft_in1k: [81.394, 95.736] },
  ),
  tf_efficientnet_b2: efficientNet(
    'same',
    [1.1, 1.2],
    { inputSize: 260, cropFraction: 0.89 },
    { aa_in1k: [80.084, 94.906], ns_jft_in1k: [82.378, 96.254] },
  ),
  tf_efficientnet_b3: efficientNet(
    'same',
    [1.2, 1.4],
    { inputSize: 300, cropFraction: 0.904 },
    { aa_in1k: [81.644, 95.722], ns_jft_in1k: [84.056, 96.918] },
  ),
  tf_efficientnet_b4: efficientNet(
    'same',
    [1.4, 1.8],
    { inputSize: 380, cropFraction: 0.922 },
    { aa_in1k: [83.04, 96.298], ns_jft_in1k: [85.156, 97.482], in1k: [82.598, 96.132] },
  ),
  efficientnet_b0: efficientNet('even', [1, 1], {}, { ra_in1k: [77.698, 93.538] }),
  tf_efficientnet_b0_w8: efficientNet('same', [0.25, 0.5], {}, {}),
  efficientnet_b0_w8: efficientNet('even', [0.25, 0.5], {}, {}),
  tf_mobilenetv3_small_075: mobileNetV3('same', 'small', 0.75, { tag: 'in1k', top1: 65.706, top5: 86.13 }),
  tf_mobilenetv3_small_100: mobileNetV3('same', 'small', 1, { tag: 'in1k', top1: 67.922, top5: 87.686 }),
  tf_mobilenetv3_large_100: mobileNetV3('same', 'large', 1, { tag: 'in1k', top1: 75.51, top5: 92.6 }),
  mobilenetv3_small_050: mobileNetV3('even', 'small', 0.5, { tag: 'lamb_in1k', top1: 57.91, top5: 80.18 }),
  mobilenetv3_small_075: mobileNetV3('even', 'small', 0.75, { tag: 'lamb_in1k', top1: 65.284, top5: 85.446 }),
  mobilenetv3_small_100: mobileNetV3('even', 'small', 1, { tag: 'lamb_in1k', top1: 67.636, top5: 87.636 }),
  mobilenetv3_large_100: mobileNetV3('even', 'large', 1, { tag: 'ra_in1k', top1: 75.784, top5: 92.538 }),
  tf_mobilenetv3_small_025: mobileNetV3('same', 'small', 0.25, null),
  tf_mobilenetv3_large_025: mobileNetV3('same', 'large', 0.25, null),
  mobilenetv3_small_025: mobileNetV3('even', 'small', 0.25, null),
  mobilenetv3_large_025: mobileNetV3('even', 'large', 0.25, null),
};
