/**
 * ResNets and SENets as data. `wN` variants keep timm's 64-channel stem and narrow the four stages to N, 2N, 4N, 8N planes:
 * `timm.models.resnet.ResNet(block, layers, channels=(N, 2N, 4N, 8N))` loads them. Those with a deep stem narrow it to
 * N, N, 2N channels (`stem_width=N`).
 */
import { type CommonSpec, IMAGENET_PREPROCESSING, type PublishedWeights } from './network-spec.ts';

type PerStage = readonly [number, number, number, number];

export interface ResNetSpec extends CommonSpec {
  family: 'resnet';
  block: 'basic' | 'bottleneck';
  /** Blocks of each stage. */
  layers: PerStage;
  /** Planes of each stage; a bottleneck puts out four times as many channels. */
  channels: PerStage;
  /** One 7x7 convolution, or the deep stem's three 3x3 ones. */
  stem: 'plain' | 'deep';
  /** Output channels of the plain stem, of the deep stem's first two convolutions (its third has twice as many). */
  stemWidth: number;
}

/** ResNet bottlenecks with a grouped 3x3 convolution and squeeze-and-excitation, a deep stem and 3x3 shortcuts. */
export interface SENetSpec extends CommonSpec {
  family: 'senet';
  layers: PerStage;
  channels: PerStage;
  stemWidth: number;
  /** Groups of the 3x3 convolution (timm's `cardinality`). */
  groups: number;
  /** A group of the 3x3 convolution has planes * baseWidth / 64 output channels. */
  baseWidth: number;
}

/** Channels in the middle of squeeze-and-excitation: a sixteenth, rounded to a multiple of 8 above 0 as by timm. */
export function squeezedChannels(channels: number): number {
  return Math.max(8, Math.floor((channels / 16 + 4) / 8) * 8);
}

const LAYOUTS = {
  resnet18: { block: 'basic', layers: [2, 2, 2, 2] },
  resnet34: { block: 'basic', layers: [3, 4, 6, 3] },
  resnet50: { block: 'bottleneck', layers: [3, 4, 6, 3] },
} as const;
const WIDTHS = [8, 16, 32, 64] as const;

type Layout = keyof typeof LAYOUTS;
type NarrowWidth = Exclude<(typeof WIDTHS)[number], 64>;

export type ResNetName =
  | Layout
  | `${Layout}_w${NarrowWidth}`
  | 'resnet101'
  | 'resnet152'
  | 'resnet152s'
  | 'resnet17s_w8';
export type SENetName = 'senet154' | 'senet19_w8';

const stages = (width: number): PerStage => [width, 2 * width, 4 * width, 8 * width];
const common = { minInputSize: 16, preprocessing: IMAGENET_PREPROCESSING };

/** ImageNet results are those of timm's results table. */
function published(
  tag: string,
  [top1, top5]: [number | null, number | null],
  more: Partial<PublishedWeights['preprocessing']> = {},
): PublishedWeights {
  return { tag, preprocessing: { ...IMAGENET_PREPROCESSING, ...more }, top1, top5 };
}

const WEIGHTS: Partial<Record<ResNetName | SENetName, PublishedWeights[]>> = {
  resnet18: [published('tv_in1k', [69.752, 89.082], { interpolation: 'bilinear' })],
  resnet34: [published('gluon_in1k', [74.578, 91.984])],
  resnet50: [
    published('ram_in1k', [79.034, 94.386]),
    published('tv_in1k', [76.156, 92.866], { interpolation: 'bilinear' }),
    published('a1_in1k', [80.382, 94.598], { cropFraction: 0.95 }),
  ],
  resnet101: [
    published('tv_in1k', [77.376, 93.542], { interpolation: 'bilinear' }),
    published('gluon_in1k', [79.31, 94.522]),
  ],
  resnet152: [
    published('tv_in1k', [78.322, 94.048], { interpolation: 'bilinear' }),
    published('gluon_in1k', [79.694, 94.736]),
  ],
  resnet152s: [published('gluon_in1k', [81.048, 95.442])],
  senet154: [published('gluon_in1k', [81.258, 95.358])],
};

function resnet(
  name: ResNetName,
  shape: Pick<ResNetSpec, 'block' | 'layers'>,
  width: number,
  stem: Pick<ResNetSpec, 'stem' | 'stemWidth'> = { stem: 'plain', stemWidth: 64 },
): [ResNetName, ResNetSpec] {
  const spec: ResNetSpec = {
    family: 'resnet',
    ...shape,
    ...stem,
    channels: stages(width),
    ...common,
    weights: WEIGHTS[name] ?? [],
  };
  return [name, spec];
}

export const RESNETS = Object.fromEntries([
  ...(Object.keys(LAYOUTS) as Layout[]).flatMap((layout) =>
    WIDTHS.map((w) => resnet(w === 64 ? layout : `${layout}_w${w}`, LAYOUTS[layout], w)),
  ),
  resnet('resnet101', { block: 'bottleneck', layers: [3, 4, 23, 3] }, 64),
  resnet('resnet152', { block: 'bottleneck', layers: [3, 8, 36, 3] }, 64),
  resnet('resnet152s', { block: 'bottleneck', layers: [3, 8, 36, 3] }, 64, { stem: 'deep', stemWidth: 64 }),
  resnet('resnet17s_w8', { block: 'bottleneck', layers: [1, 2, 1, 1] }, 8, { stem: 'deep', stemWidth: 8 }),
]) as Record<ResNetName, ResNetSpec>;

export const SENETS: Record<SENetName, SENetSpec> = {
  senet154: {
    family: 'senet',
    layers: [3, 8, 36, 3],
    channels: stages(64),
    stemWidth: 64,
    groups: 64,
    baseWidth: 4,
    ...common,
    weights: WEIGHTS.senet154 ?? [],
  },
  senet19_w8: {
    family: 'senet',
    layers: [1, 2, 1, 1],
    channels: stages(8),
    stemWidth: 8,
    groups: 8,
    baseWidth: 16,
    ...common,
    weights: [],
  },
};
