/**
 * The trainings whose results MEAL V2's authors published, as their reference code runs them: student and teachers under the full
 * names of the weights that timm 0.2.1 had, epochs of the published commands, and the accuracy on ImageNet's validation images.
 */
import type { NetworkName } from './networks.ts';
import type { OptimizerConfig } from './run-config.ts';
import type { MixingConfig } from './training-recipe.ts';

export interface PublishedStudy {
  title: string;
  network: NetworkName;
  /** What the student starts from. */
  start: string;
  teachers: readonly string[];
  inputSize: number;
  epochs: number;
  mixing: MixingConfig | null;
  /** Percent. */
  top1: number;
  top5: number;
  /** What the authors did not publish and this assumes. */
  assumed?: string;
}

const AT_224 = ['senet154.gluon_in1k', 'resnet152s.gluon_in1k'];
const AT_380 = ['tf_efficientnet_b4.ns_jft_in1k', 'tf_efficientnet_b4.aa_in1k'];
/** Of the commands that name no number of epochs. */
const DEFAULT_EPOCHS = 200;

/** The size of a batch over eight GPUs; each computes batch norm's statistics over its own 64 images. */
export const PUBLISHED_BATCH = { batchSize: 64, accumulation: 8 } as const;

/** Epochs 0 to 100 at 0.01, the rest at 0.001. */
export const PUBLISHED_OPTIMIZER: OptimizerConfig = {
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: 'step', dropAtEpochs: [101], factor: 0.1 },
};

const resnet50 = { network: 'resnet50', start: 'resnet50.ram_in1k', epochs: 180, mixing: null } as const;
const mobile = { teachers: AT_224, inputSize: 224, epochs: DEFAULT_EPOCHS, mixing: null } as const;

export const PUBLISHED_STUDIES = {
  'resnet50-224': {
    ...resnet50,
    title: 'ResNet-50, 224 px',
    teachers: AT_224,
    inputSize: 224,
    top1: 80.67,
    top5: 95.09,
  },
  'resnet50-cutmix-224': {
    ...resnet50,
    title: 'ResNet-50 with CutMix, 224 px',
    teachers: AT_224,
    inputSize: 224,
    mixing: { kind: 'cutmix', alpha: 1, probability: 1 },
    top1: 80.98,
    top5: 95.35,
  },
  'resnet50-380': {
    ...resnet50,
    title: 'ResNet-50, 380 px',
    teachers: AT_380,
    inputSize: 380,
    epochs: DEFAULT_EPOCHS,
    top1: 81.72,
    top5: 95.81,
  },
  'resnet18-224': {
    ...mobile,
    title: 'ResNet-18, 224 px',
    network: 'resnet18',
    start: 'resnet18.tv_in1k',
    top1: 73.19,
    top5: 90.82,
    assumed: 'Its teachers, start and epochs were not published; those of the other students are assumed.',
  },
  'mobilenetv3-small-075-224': {
    ...mobile,
    title: 'MobileNetV3-Small 0.75, 224 px',
    network: 'tf_mobilenetv3_small_075',
    start: 'tf_mobilenetv3_small_075.in1k',
    top1: 67.6,
    top5: 87.23,
  },
  'mobilenetv3-small-100-224': {
    ...mobile,
    title: 'MobileNetV3-Small 1.0, 224 px',
    network: 'tf_mobilenetv3_small_100',
    start: 'tf_mobilenetv3_small_100.in1k',
    top1: 69.65,
    top5: 88.71,
  },
  'mobilenetv3-large-100-224': {
    ...mobile,
    title: 'MobileNetV3-Large, 224 px',
    network: 'tf_mobilenetv3_large_100',
    start: 'tf_mobilenetv3_large_100.in1k',
    top1: 76.92,
    top5: 93.32,
  },
  'efficientnet-b0-224': {
    ...mobile,
    title: 'EfficientNet-B0, 224 px',
    network: 'tf_efficientnet_b0',
    start: 'tf_efficientnet_b0.aa_in1k',
    top1: 78.29,
    top5: 93.95,
  },
} as const satisfies Record<string, PublishedStudy>;
export type PublishedStudyName = keyof typeof PUBLISHED_STUDIES;
export const PUBLISHED_STUDY_NAMES = Object.keys(PUBLISHED_STUDIES) as [PublishedStudyName, ...PublishedStudyName[]];

export const publishedStudy = (name: PublishedStudyName): PublishedStudy => PUBLISHED_STUDIES[name];
