/** What a run's method and recipe have that differs from MEAL V2's own, for the list of its settings. */
import { type DistillationMethod, MEAL_V2, methodOf } from '@mealtable/protocol/distillation-method';
import { type TrainingConfig, teacherSize, teacherWeights } from '@mealtable/protocol/run-config';
import type { CachedLabels } from '@mealtable/protocol/soft-labels';
import { choiceWords } from '@mealtable/protocol/study-choices';

export type NamedFact = readonly [name: string, value: string];

const GRADIENT_WORDS: Record<DistillationMethod['discriminator']['gradient'], string> = {
  cooperative: 'the student learns with it',
  reversal: 'reversed: the student learns against it',
  detached: 'detached: the student learns nothing from it',
};

/** @returns facts in the order of a config; none for a run that is MEAL V2 as its code computes it */
export function methodFacts(config: TrainingConfig): NamedFact[] {
  const facts: NamedFact[] = [];
  const { ema, accumulation, mixing, labelSmoothing } = config;
  if (config.task === 'distillation') facts.push(...distillationFacts(config));
  if (labelSmoothing) facts.push(['Label smoothing', String(labelSmoothing)]);
  if (mixing) facts.push(['Mixed images', choiceWords('mixing', mixing)]);
  if (accumulation !== undefined && accumulation !== 1) facts.push(['Batches to an update', String(accumulation)]);
  if (ema) facts.push(['Averaged weights', choiceWords('ema', ema)]);
  return facts;
}

function distillationFacts(config: Extract<TrainingConfig, { task: 'distillation' }>): NamedFact[] {
  const method = methodOf(config);
  const { discriminator } = method;
  const standard = MEAL_V2.discriminator;
  const weights = teacherWeights(config);
  const facts: (NamedFact | false)[] = [
    weights.some((weight) => weight !== weights[0]) && ['Weights of teachers', weights.join(' : ')],
    teacherSize(config) !== config.inputSize && ['Teachers’ input size', `${teacherSize(config)} px`],
    method.ensemble !== MEAL_V2.ensemble && ['Ensemble', choiceWords('ensemble', method.ensemble)],
    method.temperature !== MEAL_V2.temperature && ['Temperature', String(method.temperature)],
    method.hardLabelWeight !== MEAL_V2.hardLabelWeight && ['Weight of hard labels', String(method.hardLabelWeight)],
    discriminator.gradient !== standard.gradient && [
      'Discriminator’s gradient',
      GRADIENT_WORDS[discriminator.gradient],
    ],
    discriminator.inputs !== standard.inputs && ['Discriminator reads', discriminator.inputs],
    discriminator.learningRateFactor !== standard.learningRateFactor && [
      'Discriminator’s learning rate',
      `× ${discriminator.learningRateFactor}`,
    ],
    discriminator.finalRelu !== standard.finalRelu && ['Discriminator’s last ReLU', 'None'],
    config.softLabels?.mode === 'cached' && ['Soft labels', cachedWords(config.softLabels)],
  ];
  return facts.filter((fact) => fact !== false);
}

function cachedWords({ viewsPerImage, augmentationSeed, keep, labelledBy }: CachedLabels): string {
  const views = `${viewsPerImage} ${viewsPerImage === 1 ? 'crop' : 'crops'} per image, augmentation seed ${augmentationSeed}`;
  return `${labelledBy ? 'computed before by other runs' : 'cached'}: ${views}${keep === 'full' ? '' : `, the ${keep} most probable classes`}`;
}
