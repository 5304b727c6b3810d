/** Published weights by name: what may be written in a config or a design, and the sentence for what may not. */
import { expandDesign, type KnownRun } from '@mealtable/protocol/expand-design';
import { explainUnknownWeights, KNOWN_WEIGHTS, WeightsName, weightsOf } from '@mealtable/protocol/published-weights';
import { TrainingConfig } from '@mealtable/protocol/run-config';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';
import { smallDesign } from '../support/core.ts';

describe('names', () => {
  test('are arch.tag, of which the hub has all but those that MEAL V2 released', () => {
    expect(KNOWN_WEIGHTS.get('senet154.gluon_in1k')).toMatchObject({
      network: 'senet154',
      repo: 'timm/senet154.gluon_in1k',
      published: { tag: 'gluon_in1k', top1: 81.258 },
    });
    expect(KNOWN_WEIGHTS.get('resnet50.mealv2_380')).toMatchObject({
      network: 'resnet50',
      repo: null,
      releasedAs: 'MEALV2_ResNet50_380.pth',
      published: { top1: 81.72, preprocessing: { inputSize: 380 } },
    });
    for (const [name, { network, published, repo, releasedAs }] of KNOWN_WEIGHTS) {
      expect(name).toBe(`${network}.${published.tag}`);
      expect(repo === null).toBe(releasedAs !== null);
      expect(WeightsName.parse(name)).toBe(name);
    }
    expect(weightsOf('resnet152s').map(({ name }) => name)).toEqual(['resnet152s.gluon_in1k']);
  });

  test('without a tag are refused, and where the meaning has changed over time it is said', () => {
    expect(explainUnknownWeights('tf_efficientnet_b4')).toMatch(
      /^"tf_efficientnet_b4" names a network, not one set of weights: MEAL V2 meant tf_efficientnet_b4\.aa_in1k by it, timm today means tf_efficientnet_b4\.ns_jft_in1k\. Choose .*aa_in1k/,
    );
    expect(explainUnknownWeights('resnet50')).toMatch(
      /MEAL V2 meant resnet50\.ram_in1k by it, timm today means resnet50\.a1/,
    );
    expect(explainUnknownWeights('resnet152s')).toBe(
      '"resnet152s" names a network, not one set of weights. Choose resnet152s.gluon_in1k.',
    );
    expect(explainUnknownWeights('gluon_senet154')).toBe(
      '"gluon_senet154" is an old name of senet154.gluon_in1k. Write that.',
    );
    expect(explainUnknownWeights('resnet50.none')).toMatch(
      /^resnet50 has no weights "none"\. Choose resnet50\.ram_in1k or/,
    );
    expect(explainUnknownWeights('resnet18_w8')).toMatch(/Of resnet18_w8, no weights are published/);
    expect(explainUnknownWeights('vgg16')).toMatch(/^Unknown weights "vgg16"/);
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(explainUnknownWeights(name)).toMatch(/^Unknown weights/);
    expect(WeightsName.safeParse('resnet50').error?.issues[0]?.message).toContain('MEAL V2 meant');
  });
});

const config = (network: string, initialisation: unknown, teachers: unknown[]) => ({
  version: 1,
  task: 'distillation',
  dataset: 'imagenet',
  network,
  initialisation,
  inputSize: 224,
  epochs: 1,
  batchSize: 8,
  seed: 0,
  optimizer: { learningRate: 0.01 },
  teachers,
  discriminator: true,
});
const SENET = { kind: 'pretrained', weights: 'senet154.gluon_in1k' };
const RAM = { kind: 'pretrained', weights: 'resnet50.ram_in1k' };

describe('a run config', () => {
  const problemsOf = (...args: Parameters<typeof config>) =>
    (TrainingConfig.safeParse(config(...args)).error?.issues ?? []).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  test("is MEAL V2's own: published teachers of any network, a published start, whose head is kept unless said", () => {
    const parsed = TrainingConfig.parse(
      config('resnet50', RAM, [SENET, { ...SENET, weights: 'resnet152s.gluon_in1k' }]),
    );
    expect(parsed.initialisation).toEqual({ ...RAM, head: 'keep' });
    expect(problemsOf('resnet50', { ...RAM, head: 'replace' }, [SENET])).toEqual([]);
  });

  test('is refused for weights of another network, unknown ones and the same teacher twice', () => {
    expect(problemsOf('resnet18', RAM, [SENET])).toEqual([
      'initialisation.weights: The weights resnet50.ram_in1k are those of a resnet50, but the network is a resnet18. Choose weights of the same network.',
    ]);
    expect(problemsOf('resnet50', { ...RAM, weights: 'resnet50' }, [SENET])[0]).toMatch(
      /^initialisation\.weights: "resnet50" names/,
    );
    expect(problemsOf('resnet50', RAM, [SENET, SENET])).toEqual(['teachers: The same teacher is listed twice.']);
  });
});

describe('a study design', () => {
  const design = (change: Partial<StudyDesign>): StudyDesign =>
    StudyDesign.parse({
      ...smallDesign(),
      planned: [],
      student: { network: 'resnet50', initialisation: { ...RAM, head: 'keep' } },
      factors: { teachers: [[SENET]], discriminator: [true], inputSize: [224] },
      ...change,
    });
  const context = (classCount: number) => ({ classCount, runs: new Map<string, KnownRun>() });
  const problemsOf = (change: Partial<StudyDesign>, classCount: number) => {
    const expansion = expandDesign(design(change), context(classCount));
    return expansion.ok ? [] : expansion.problems.map(({ path, message }) => `${path}: ${message}`);
  };

  test('names its ensembles by their weights, which are part of the variants’ keys', () => {
    const expansion = expandDesign(design({}), context(1000));
    if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
    const student = expansion.variants.find(({ role }) => role === 'student');
    expect(student).toMatchObject({
      key: 'senet154.gluon_in1k|d1|s224',
      label: 'senet154.gluon_in1k · discriminator on · 224 px',
    });
  });

  test('is refused on a dataset of other classes, with the way out', () => {
    expect(problemsOf({}, 10)).toEqual([
      'student.initialisation: The weights resnet50.ram_in1k know 1000 classes, but digits has 10. Replace the head: then all but the classifier is taken.',
      'factors.teachers.0: Teacher senet154.gluon_in1k knows 1000 classes, but digits has 10. Add a network to train first that starts from these weights with the head replaced, and let that teach.',
    ]);
  });

  test('can do so: a planned teacher and a student that start with their heads replaced', () => {
    const replaced = (weights: string) => ({ kind: 'pretrained' as const, weights, head: 'replace' as const });
    const planned = {
      ...smallDesign().planned[0]!,
      key: 'tuned',
      network: 'resnet18' as const,
      inputSize: 224,
      initialisation: replaced('resnet18.tv_in1k'),
    };
    const change = {
      planned: [planned],
      student: { network: 'resnet50' as const, initialisation: replaced('resnet50.ram_in1k') },
      factors: { teachers: [[{ kind: 'planned' as const, key: 'tuned' }]], discriminator: [true], inputSize: [224] },
    };
    expect(problemsOf(change, 10)).toEqual([]);
    const other = { ...change, planned: [{ ...planned, network: 'resnet50' as const }] };
    expect(problemsOf(other, 10)).toEqual([
      'planned.0.initialisation: The weights resnet18.tv_in1k are those of a resnet18, but the network is a resnet50. Choose weights of the same network.',
    ]);
  });
});
