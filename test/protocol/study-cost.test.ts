/** What a study computes, against values counted by hand. */
import { expandDesign, type PlannedVariant } from '@mealtable/protocol/expand-design';
import { networkCost } from '@mealtable/protocol/network-cost';
import { costOfStudy, imagesPerEpoch } from '@mealtable/protocol/study-cost';
import type { StudyDesign, StudyDesignInput } from '@mealtable/protocol/study-design';
import { describe, expect, test } from 'vitest';
import { makeDesign, plannedRef } from '../support/core.ts';

/**
 * MACs of resnet18_w8 for 24 x 24 pixels and 10 classes. Stem: 7*7*3*64 at 12*12 places. Stages: 9*64*8 + 64*8 + 3*9*8*8 at 6*6;
 * 9*8*16 + 8*16 + 3*9*16*16 at 3*3; 9*16*32 + 16*32 + 3*9*32*32 at 2*2; 9*32*64 + 32*64 + 3*9*64*64 at 1. Classifier: 64*10.
 */
const STUDENT = 1_354_752 + 246_528 + 73_728 + 131_072 + 131_072 + 640;
/** Of resnet18_w16, counted in the same way: twice the channels from the first stage on. */
const TEACHER = 1_354_752 + 36 * (9216 + 1024 + 6912) + 9 * (4608 + 512 + 27_648) + 2 * 524_288 + 1280;

const CONTEXT = { classCount: 10, trainCount: 100, valCount: 20, runs: new Map() };
const variantsOf = (design: StudyDesign): PlannedVariant[] => {
  const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.problems));
  return expansion.variants;
};
const cost = (more: Partial<StudyDesignInput> = {}, newRuns: ReadonlySet<string> | null = null) => {
  const design = makeDesign(more);
  return costOfStudy(design, variantsOf(design), CONTEXT, newRuns);
};
const CACHED = { mode: 'cached', viewsPerImage: 2 } as const;
/** Of 100 images in batches of 16, an epoch has 6. */
const EPOCH = 96;

test('the networks cost what was counted', () => {
  expect(networkCost('resnet18_w8', 24, 10).macs).toBe(STUDENT);
  expect(networkCost('resnet18_w16', 24, 10).macs).toBe(TEACHER);
});

test('an epoch leaves out the last partial batch, and with accumulation the last partial update', () => {
  expect([imagesPerEpoch(100, 16), imagesPerEpoch(100, 16, 4), imagesPerEpoch(100, 16, 9)]).toEqual([96, 64, 96]);
  expect([imagesPerEpoch(10, 16), imagesPerEpoch(0, 16)]).toEqual([10, 0]);
});

describe('two teachers of two epochs, four students and a baseline of three, two seeds', () => {
  const { training, validation, teachers } = cost();

  test('training is three forwards of every image, in every run and epoch', () => {
    expect(training).toEqual({
      teacher: 2 * 2 * EPOCH * 3 * TEACHER,
      baseline: 2 * 3 * EPOCH * 3 * STUDENT,
      student: 8 * 3 * EPOCH * 3 * STUDENT,
    });
  });

  test('validation is one forward of the whole set after every epoch', () => {
    expect(validation).toBe(20 * (2 * 2 * TEACHER + 10 * 3 * STUDENT));
  });

  test('online every run asks its teachers: four runs one, four runs two', () => {
    expect(teachers.online).toBe((4 + 4 * 2) * 3 * EPOCH * TEACHER);
  });

  test('shared, each teacher labels every image once for every epoch', () => {
    expect(teachers.shared).toBe(2 * 3 * 100 * TEACHER);
  });
});

describe('sets of labels', () => {
  const labelsOf = (more: Partial<StudyDesignInput>) => cost(more).sets.map(({ key, labels }) => [key, labels]);

  test('are computed for as many views as there are, but not for more than epochs', () => {
    expect(labelsOf({ softLabels: CACHED })).toEqual([
      ['labels|a|s24|logits', 200],
      ['labels|a|s24', 200],
      ['labels|b|s24|logits', 200],
      ['labels|b|s24', 200],
    ]);
    expect(labelsOf({ softLabels: { ...CACHED, viewsPerImage: 50, logits: true } })).toEqual([
      ['labels|a|s24|logits', 300],
      ['labels|b|s24|logits', 300],
    ]);
  });

  test('differ by input size, temperature and, of mean logits, the ensemble with its weights', () => {
    const factors = makeDesign().factors;
    const one = { ...factors, teachers: [[plannedRef('a')]], discriminator: [true] };
    const keysOf = (more: object) => labelsOf({ factors: { ...one, ...more }, softLabels: CACHED }).map(([key]) => key);
    expect(keysOf({ inputSize: [24, 32], temperature: [1, 4] })).toEqual([
      'labels|a|s24|logits',
      'labels|a|s24|t4|logits',
      'labels|a|s32|logits',
      'labels|a|s32|t4|logits',
    ]);
    const weighted = [
      [
        { ...plannedRef('b'), weight: 6 },
        { ...plannedRef('a'), weight: 3 },
      ],
    ];
    expect(keysOf({ teachers: weighted })).toEqual(['labels|b|s24|logits', 'labels|a|s24|logits']);
    expect(keysOf({ teachers: weighted, ensemble: ['mean-logit'] })).toEqual(['labels|a+b*2|s24|mean-logit|logits']);
  });

  test('are computed whole where runs of their own do so, and with logits where any student needs them', () => {
    expect(labelsOf({ softLabels: { mode: 'prefill', viewsPerImage: 50 } })).toEqual([
      ['labels|a|s24|logits', 5000],
      ['labels|b|s24|logits', 5000],
    ]);
  });

  test('cost one run alone no more than asking online does', () => {
    const alone = {
      factors: { ...makeDesign().factors, teachers: [[plannedRef('a')]], discriminator: [true] },
      seeds: [1],
    };
    const { teachers } = cost({ ...alone, softLabels: { ...CACHED, viewsPerImage: 3 } });
    expect(teachers.online).toBe(3 * EPOCH * TEACHER);
    expect(teachers.shared).toBe(teachers.online);
  });

  test('cannot be shared where images are mixed or a teacher is drawn', () => {
    const { factors } = makeDesign();
    for (const level of [{ mixing: [{ kind: 'cutmix' as const }] }, { ensemble: ['random-teacher' as const] }]) {
      const { teachers, sets } = cost({ factors: { ...factors, ...level } as StudyDesignInput['factors'] });
      expect(sets).toEqual([]);
      expect(teachers.shared).toBe(teachers.online);
    }
  });
});

test('of an extension only the new runs count', () => {
  const { runs, training, teachers } = cost({ seeds: [1, 2, 3] }, new Set(['baseline|s24#3', 'a|d1|s24#3']));
  expect(runs.map(({ variantKey, runs: count }) => [variantKey, count])).toEqual([
    ['baseline|s24', 1],
    ['a|d1|s24', 1],
  ]);
  expect(training).toEqual({ teacher: 0, baseline: 3 * EPOCH * 3 * STUDENT, student: 3 * EPOCH * 3 * STUDENT });
  expect(teachers.online).toBe(3 * EPOCH * TEACHER);
});

test('an extension of a prefilled study counts only sets that none of its runs has computed', () => {
  const softLabels = { mode: 'prefill', viewsPerImage: 2 } as const;
  const design = makeDesign({ softLabels });
  const students = variantsOf(design).filter(({ role }) => role === 'student');
  const added = [...students.flatMap(({ runs }) => runs), { key: 'labels|b|s24|logits#0' }].map(({ key }) => key);
  expect(cost({ softLabels }, new Set(added)).sets.map(({ key }) => key)).toEqual(['labels|b|s24|logits']);
});

test('batches that make up one update leave out what does not fill one', () => {
  expect(cost({ accumulation: 4 }).training).toMatchObject({
    teacher: 2 * 2 * EPOCH * 3 * TEACHER,
    student: 8 * 3 * 64 * 3 * STUDENT,
  });
});
