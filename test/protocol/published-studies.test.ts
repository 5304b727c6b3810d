/** Presets are what the authors published: weights that exist under their full names, networks that fit, their accuracies. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { PUBLISHED_STUDY_NAMES, publishedStudy } from '@mealtable/protocol/published-studies';
import { KNOWN_WEIGHTS, weightsOf } from '@mealtable/protocol/published-weights';
import { describe, expect, it } from 'vitest';
import { draftFromDesign, newDraft, type StudyDraft } from '../../components/study/form/draft.ts';
import { parseDesign } from '../../components/study/form/draft-to-design.ts';
import { fillPublished } from '../../components/study/form/fill-published.ts';

const dataset = (name: string, classCount: number, trainCount = 1000) => ({
  name,
  classNames: Array.from({ length: classCount }, (_, i) => `class ${i}`),
  trainCount,
  valCount: 100,
  problems: [],
  hostNames: ['host'],
});
const datasets = [dataset('digits', 10), dataset('imagenet-val', 1000, 0), dataset('imagenet', 1000)];

function designOf(draft: StudyDraft) {
  const parsed = parseDesign(draft);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.design;
}

describe.each(PUBLISHED_STUDY_NAMES)('%s', (name) => {
  const published = publishedStudy(name);

  it('fills the form with a study of one run that needs nothing more', () => {
    const design = designOf(fillPublished(newDraft('digits'), name, datasets));
    const expansion = expandDesign(design, { classCount: 1000, runs: new Map() });
    expect(expansion).toMatchObject({ ok: true, runCount: 1 });
    expect(design).toMatchObject({
      dataset: 'imagenet',
      reproduces: name,
      optimizer: { learningRate: 0.01, momentum: 0.9, weightDecay: 0, schedule: { kind: 'step', dropAtEpochs: [101] } },
    });
    expect(design.batchSize * (design.accumulation ?? 1)).toBe(512);
    expect(designOf(draftFromDesign('x', '', design))).toEqual(design);
  });

  it('starts from weights of its network, older than the student that it gave', () => {
    expect(KNOWN_WEIGHTS.get(published.start)?.network).toBe(published.network);
    expect(published.start).not.toContain('mealv2');
  });

  it('has the accuracy of the released weights, where they were released', () => {
    const { top1, top5, mixing, inputSize } = published;
    const tag = `mealv2_${mixing ? 'cutmix_' : ''}${inputSize}`;
    const released = weightsOf(published.network).find((known) => known.published.tag === tag)?.published;
    if (name === 'resnet18-224') expect(released).toBeUndefined();
    else expect([released?.top1, released?.top5]).toEqual([top1, top5]);
  });
});

describe('filling the form', () => {
  it('leaves what was written, and undoes what was chosen', () => {
    const draft = { ...newDraft('digits'), name: 'Mine', notes: 'Why', precision: 'bfloat16' as const };
    draft.choices = { ...draft.choices, temperature: [4] };
    draft.softLabels = { ...draft.softLabels, mode: 'cached', viewsPerImage: '4', keep: '5' };
    const filled = fillPublished(draft, 'resnet50-224', datasets);
    expect([filled.name, filled.notes, filled.precision]).toEqual(['Mine', 'Why', 'bfloat16']);
    expect(filled.choices.temperature).toEqual([1]);
    expect(designOf(filled).softLabels).toMatchObject({ mode: 'cached', viewsPerImage: 4, keep: 5 });
  });

  it('keeps the dataset where none has ImageNet’s classes', () => {
    expect(fillPublished(newDraft('digits'), 'resnet18-224', [dataset('digits', 10)]).dataset).toBe('digits');
  });
});
