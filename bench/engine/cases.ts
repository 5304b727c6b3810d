/** What is measured: a network, training or inference, an input size and the batch that fits a small machine several times over. */

export type Mode = 'training' | 'inference';

export interface Case {
  /** 'resnet50-training-224': what `--cases` matches and the figures are filed under. */
  id: string;
  /** Ours and timm's name. */
  network: string;
  mode: Mode;
  /** Side of the square images in pixels. */
  inputSize: number;
  batch: number;
  classes: number;
}

/** ImageNet's class count: the classifier is part of the step. */
const CLASSES = 1000;

/**
 * Training holds every activation, tfjs-node as shipped several times over, and up to six contenders wait in memory at once:
 * ResNet-50 at 380 pixels takes 9 GB there for 4 images and 2 GB captured (26 Nov 2026). Teachers see the student's batch, so
 * they get a training batch too.
 */
const BATCHES: Record<Mode, Record<number, number>> = {
  training: { 224: 8, 380: 2 },
  inference: { 224: 16, 380: 8 },
};

export const STUDENTS = ['resnet50', 'resnet18', 'tf_mobilenetv3_large_100'] as const;
/** Each at the size at which MEAL V2 uses it; they only ever predict. */
const TEACHERS = [
  { network: 'resnet152s', inputSize: 224 },
  { network: 'senet154', inputSize: 224 },
  { network: 'tf_efficientnet_b4', inputSize: 380 },
] as const;

export function makeCase(network: string, mode: Mode, inputSize: number, batch: number, classes = CLASSES): Case {
  return { id: `${network}-${mode}-${inputSize}`, network, mode, inputSize, batch, classes };
}

export const CASES: readonly Case[] = [
  ...STUDENTS.flatMap((network) =>
    (['training', 'inference'] as const).flatMap((mode) =>
      [224, 380].map((size) => makeCase(network, mode, size, BATCHES[mode][size]!)),
    ),
  ),
  ...TEACHERS.map(({ network, inputSize }) => makeCase(network, 'inference', inputSize, BATCHES.training[inputSize]!)),
];

/** The one case of `--quick`: the step that the engine is tuned for. */
export const QUICK_CASE = 'resnet50-training-224';

/**
 * The cases whose id contains one of `patterns` (all without patterns), in the table's order.
 * Throws an Error that lists the ids when a pattern matches none.
 */
export function selectCases(patterns: readonly string[], cases: readonly Case[] = CASES): Case[] {
  for (const pattern of patterns) {
    if (!cases.some(({ id }) => id.includes(pattern))) {
      throw new Error(`No case matches "${pattern}". There are: ${cases.map(({ id }) => id).join(', ')}.`);
    }
  }
  return cases.filter(({ id }) => patterns.length === 0 || patterns.some((pattern) => id.includes(pattern)));
}
