/** What each run of a study is told of the study's choices. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { TrainingConfig } from '@mealtable/protocol/run-config';
import { StudyDesign, type StudyDesignInput } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';
import { buildConfig } from '../../server/studies/build-config.ts';

const RUN = `run_${'a'.repeat(22)}`;
const CUTMIX = { kind: 'cutmix' as const, alpha: 1, probability: 1 };
const budget = { epochs: 2, batchSize: 16, optimizer: { learningRate: 0.1 } };

/** Configs by the label's part behind the teachers; the student alone and planned networks by their label. */
function configsOf(more: Partial<StudyDesignInput>): Map<string, TrainingConfig> {
  const design = StudyDesign.parse({
    version: 1,
    dataset: 'digits',
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    ...budget,
    planned: [{ key: 'a', network: 'resnet18_w16', inputSize: 32, seed: 1, ...budget }],
    baseline: true,
    design: 'full-factorial',
    factors: { teachers: [[{ kind: 'planned', key: 'a' }]], discriminator: [true], inputSize: [32] },
    list: [],
    seeds: [1],
    ...more,
  } satisfies StudyDesignInput);
  const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return new Map(
    expansion.variants.map((variant) => [
      variant.label.replace(/^a( × \d+)? · /, ''),
      TrainingConfig.parse(buildConfig(design, variant, 1, { planned: new Map([['a', RUN]]), labelling: new Map() })),
    ]),
  );
}
const factors = {
  teachers: [[{ kind: 'planned' as const, key: 'a', weight: 2 }]],
  discriminator: [true],
  inputSize: [32],
};

describe('configs of a study', () => {
  test('say nothing of what is as in MEAL V2', () => {
    for (const config of configsOf({}).values())
      for (const field of ['mixing', 'ema', 'accumulation', 'labelSmoothing', 'ensemble', 'discriminatorOptions'])
        expect(JSON.parse(JSON.stringify(config))).not.toHaveProperty(field);
  });

  test('of planned networks have those networks’ own recipe, and nothing of the study’s', () => {
    const own = { mixing: CUTMIX, ema: { decay: 0.9, warmup: true }, accumulation: 2, labelSmoothing: 0.1 };
    const network = { key: 'a', network: 'resnet18_w16' as const, inputSize: 32, seed: 1, ...budget };
    const plannedOf = (more: Partial<StudyDesignInput>) => configsOf(more).get('a (resnet18_w16)');
    expect(plannedOf({ planned: [{ ...network, ...own }] })).toMatchObject({ task: 'classification', ...own });
    const study = { accumulation: 4, labelSmoothing: 0.2, factors: { ...factors, mixing: [CUTMIX] } };
    for (const field of Object.keys(own)) expect(plannedOf(study)?.[field as keyof typeof own]).toBeUndefined();
  });

  test('have their variant’s levels, the student alone those of its recipe', () => {
    const ema = { decay: 0.99, warmup: false };
    const configs = configsOf({
      accumulation: 4,
      factors: {
        ...factors,
        ensemble: ['random-teacher'],
        temperature: [4],
        hardLabelWeight: [0.5],
        mixing: [CUTMIX],
        ema: [ema],
      },
    });
    const choices = 'random teacher · temperature 4 · hard labels 0.5 · CutMix · EMA 0.99 without warm-up';
    expect(configs.get(`discriminator on · 32 px · ${choices}`)).toMatchObject({
      teachers: [{ kind: 'run', runId: RUN, weight: 2 }],
      ensemble: 'random-teacher',
      temperature: 4,
      hardLabelWeight: 0.5,
      mixing: CUTMIX,
      ema,
      accumulation: 4,
    });
    const alone = configs.get('student alone · 32 px · CutMix · EMA 0.99 without warm-up');
    expect(alone).toMatchObject({ task: 'classification', mixing: CUTMIX, ema, accumulation: 4 });
    const teacher = configs.get('a (resnet18_w16)');
    expect([teacher?.mixing, teacher?.ema, teacher?.accumulation]).toEqual([undefined, undefined, undefined]);
  });

  test('take soft labels from where the study says, the student alone from nowhere', () => {
    const softLabels = {
      mode: 'cached' as const,
      viewsPerImage: 4,
      augmentationSeed: 1,
      keep: 10 as const,
      logits: true,
    };
    const configs = configsOf({ softLabels, factors });
    expect(configs.get('discriminator on · 32 px')).toMatchObject({ softLabels });
    expect(configs.get('student alone · 32 px')).not.toHaveProperty('softLabels');
  });

  test('have the discriminator’s options only with it, and its gradient from its level', () => {
    const discriminator = [false, true, 'reversal' as const, 'detached' as const];
    const configs = configsOf({ factors: { ...factors, discriminator }, discriminatorOptions: { finalRelu: false } });
    const optionsOf = (level: string) => {
      const config = configs.get(`discriminator ${level} · 32 px`);
      return config?.task === 'distillation' ? [config.discriminator, config.discriminatorOptions] : null;
    };
    expect(optionsOf('off')).toEqual([false, undefined]);
    expect(optionsOf('on')).toEqual([true, { finalRelu: false }]);
    expect(optionsOf('reversed')).toEqual([true, { finalRelu: false, gradient: 'reversal' }]);
    expect(optionsOf('detached')).toEqual([true, { finalRelu: false, gradient: 'detached' }]);
  });

  test('smooth labels only where hard ones are learnt from', () => {
    const configs = configsOf({ labelSmoothing: 0.1, factors: { ...factors, hardLabelWeight: [0, 0.5] } });
    const smoothed = [...configs].filter(([, config]) => config.labelSmoothing === 0.1).map(([label]) => label);
    expect(smoothed).toEqual(['student alone · 32 px', 'discriminator on · 32 px · hard labels 0.5']);
  });
});
