/** The study form's switch for soft labels: what is chosen becomes the design that is meant, and comes back from it. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { describe, expect, it } from 'vitest';
import { draftFromDesign, newDraft, type StudyDraft } from '../../components/study/form/draft.ts';
import { keepFixed, parseDesign } from '../../components/study/form/draft-to-design.ts';
import { addPlanned } from '../../components/study/form/planned-edits.ts';
import { newSoftLabels, type SoftLabelsDraft } from '../../components/study/form/soft-labels-draft.ts';

const cached = (part: Partial<SoftLabelsDraft> = {}): SoftLabelsDraft => ({
  ...newSoftLabels(),
  mode: 'cached',
  viewsPerImage: '30',
  ...part,
});
function draftWith(part: Partial<StudyDraft> = {}): StudyDraft {
  const draft = addPlanned({ ...newDraft('digits'), name: 'A study' });
  return { ...draft, teachers: [[{ kind: 'planned', key: 'teacher-a' }]], softLabels: cached(), ...part };
}
const parse = (draft: StudyDraft) => {
  const parsed = parseDesign(draft);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.design;
};
const problemsOf = (draft: StudyDraft) => {
  const parsed = parseDesign(draft);
  if (!parsed.ok) return parsed.problems;
  const expansion = expandDesign(parsed.design, { classCount: 10, runs: new Map() });
  return expansion.ok ? [] : expansion.problems;
};

describe('the switch for soft labels', () => {
  it('says nothing while teachers are asked online', () => {
    expect(parse(draftWith({ softLabels: newSoftLabels() }))).not.toHaveProperty('softLabels');
    expect(parse(draftWith({ softLabels: cached({ mode: 'online', viewsPerImage: 'x' }) }))).not.toHaveProperty(
      'softLabels',
    );
  });

  it('gives the design what was typed', () => {
    expect(parse(draftWith({ softLabels: cached({ augmentationSeed: '7', keep: '10' }) })).softLabels).toEqual({
      mode: 'cached',
      viewsPerImage: 30,
      augmentationSeed: 7,
      keep: 10,
    });
  });

  it('says which hosts label, where runs of their own do', () => {
    const hostLabels = 'a100, room:2 a100';
    const prefill = draftWith({ softLabels: cached({ mode: 'prefill', hostLabels }) });
    expect(parse(prefill).softLabels).toMatchObject({ hostLabels: ['a100', 'room:2'] });
    expect(draftFromDesign('x', '', parse(prefill)).softLabels.hostLabels).toBe('a100, room:2');
    expect(parse(draftWith({ softLabels: cached({ mode: 'prefill' }) })).softLabels).not.toHaveProperty('hostLabels');
    expect(parse(draftWith({ softLabels: cached({ hostLabels }) })).softLabels).not.toHaveProperty('hostLabels');
    expect(problemsOf(draftWith({ softLabels: cached({ mode: 'prefill', hostLabels: 'A 100' }) }))).toEqual([
      { path: 'softLabels.hostLabels.0', message: expect.stringMatching(/^A label has 1-63 lower-case letters/) },
    ]);
  });

  it('keeps logits for all variants where some have a discriminator that takes them and others do not', () => {
    const logitsOf = (part: Partial<StudyDraft>) => parse(draftWith(part)).softLabels;
    expect(logitsOf({ discriminator: [false, true] })).toMatchObject({ logits: true });
    expect(logitsOf({ discriminator: [false, 'detached'] })).toMatchObject({ logits: true });
    for (const same of [[true], [false], [true, 'reversal']] as StudyDraft['discriminator'][])
      expect(logitsOf({ discriminator: same })).not.toHaveProperty('logits');
    // Prefilled sets are shared by all anyway.
    expect(logitsOf({ discriminator: [false, true], softLabels: cached({ mode: 'prefill' }) })).not.toHaveProperty(
      'logits',
    );
    const { discriminatorOptions } = newDraft('digits');
    const inputs = { ...discriminatorOptions, inputs: 'probabilities' as const };
    expect(logitsOf({ discriminator: [false, true], discriminatorOptions: inputs })).not.toHaveProperty('logits');
    const row = { teachers: [{ kind: 'planned' as const, key: 'teacher-a' }], inputSize: '32' };
    const list = [
      { ...row, id: 'a', discriminator: true },
      { ...row, id: 'b', discriminator: false },
    ];
    expect(logitsOf({ design: 'list', list })).toMatchObject({ logits: true });
  });

  it('comes back from its design unchanged, as cloning and extending need it', () => {
    for (const mode of ['cached', 'prefill'] as const)
      for (const discriminator of [[true], [false, true]])
        for (const logits of ['shared', 'own', 'always', 'never'] as const) {
          const design = parse(draftWith({ discriminator, softLabels: cached({ mode, keep: '5', logits }) }));
          expect(parse(draftFromDesign('x', '', design))).toEqual(design);
        }
    const online = { ...parse(draftWith()), softLabels: { mode: 'online' as const } };
    const more = parse({ ...draftFromDesign('x', '', online), seeds: [0, 1, 2, 3] });
    expect(keepFixed(more, online)).toEqual({ ...online, seeds: [0, 1, 2, 3] });
  });

  it('has its problems at its fields', () => {
    expect(problemsOf(draftWith({ softLabels: cached({ viewsPerImage: '', augmentationSeed: '-1' }) }))).toEqual([
      { path: 'softLabels.viewsPerImage', message: 'Views per image are a whole number.' },
      { path: 'softLabels.augmentationSeed', message: 'The augmentation seed is 0 or more.' },
    ]);
    const draft = draftWith();
    const mixed = { ...draft.choices, mixing: [{ kind: 'cutmix' as const, alpha: 1, probability: 1 }] };
    expect(problemsOf({ ...draft, choices: mixed })).toEqual([
      { path: 'softLabels', message: expect.stringMatching(/^Mixed images are never the same twice/) },
    ]);
    expect(problemsOf({ ...draft, choices: { ...draft.choices, ensemble: ['random-teacher'] } })).toEqual([
      { path: 'softLabels', message: expect.stringMatching(/^A teacher drawn for each batch/) },
    ]);
    expect(problemsOf({ ...draft, softLabels: cached({ logits: 'never' }) })).toEqual([
      { path: 'softLabels', message: expect.stringMatching(/^The discriminator takes logits/) },
    ]);
  });
});
