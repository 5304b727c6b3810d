/** The study form: what is typed becomes the design that is meant, or problems that name their fields. */
import { expandDesign } from '@mealtable/protocol/expand-design';
import { describe, expect, it } from 'vitest';
import { draftFromDesign, newDraft, type StudyDraft } from '../../components/study/form/draft.ts';
import { checkBasics, keepFixed, parseDesign } from '../../components/study/form/draft-to-design.ts';
import { addPlanned, changePlanned, removePlanned } from '../../components/study/form/planned-edits.ts';
import { problemAt, visibleProblems } from '../../components/study/form/problems.ts';
import { teacherChoices } from '../../components/study/form/teacher-choices.ts';
import { typedWeights, withWeights } from '../../components/study/form/teacher-weights.ts';

function draftWith(part: Partial<StudyDraft> = {}): StudyDraft {
  const draft = addPlanned({ ...newDraft('digits'), name: 'A study' });
  return { ...draft, teachers: [[{ kind: 'planned', key: 'teacher-a' }]], ...part };
}
const designOf = (draft: StudyDraft) => {
  const parsed = parseDesign(draft);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.design;
};
const problemsOf = (draft: StudyDraft) => {
  const parsed = parseDesign(draft);
  return parsed.ok ? [] : parsed.problems;
};

describe('a filled form', () => {
  it('is a design that expands', () => {
    const expansion = expandDesign(designOf(draftWith()), { classCount: 10, runs: new Map() });
    // One teacher, three seeds alone, three seeds distilled.
    expect(expansion).toMatchObject({ ok: true, runCount: 7 });
  });

  it('comes back from its design unchanged, as cloning and extending need it', () => {
    for (const schedule of ['constant', 'step', 'cosine'] as const) {
      const draft = draftWith();
      draft.optimizer = { ...draft.optimizer, schedule, dropAtEpochs: '10, 20', warmupEpochs: '2', momentum: '0' };
      draft.precision = 'bfloat16';
      const design = designOf(draft);
      expect(design.precision).toBe('bfloat16');
      expect(designOf(draftFromDesign('x', '', design))).toEqual(design);
    }
  });

  it('keeps the published weights of a design, also when the networks to train first change', () => {
    const start = { kind: 'pretrained' as const, weights: 'resnet50.ram_in1k', head: 'replace' as const };
    const teacher = { kind: 'pretrained' as const, weights: 'senet154.gluon_in1k' };
    const draft = draftWith({
      network: 'resnet50',
      start,
      teachers: [[{ kind: 'planned', key: 'teacher-a' }, teacher]],
    });
    const [planned] = draft.planned;
    draft.planned = [{ ...planned!, network: 'resnet50', initialisation: start }];
    const design = designOf(draft);
    expect(design.student.initialisation).toEqual(start);
    expect(design.planned[0]?.initialisation).toEqual(start);
    expect(designOf(draftFromDesign('x', '', design))).toEqual(design);
    const renamed = designOf(changePlanned(draft, planned!.id, { key: 'tuned' }));
    expect(renamed.factors.teachers).toEqual([[{ kind: 'planned', key: 'tuned' }, teacher]]);
    expect(renamed.student.initialisation).toEqual(start);
    expect(designOf(removePlanned(draft, planned!.id)).student.initialisation).toEqual(start);
  });

  it('comes back with every choice of method, recipe and optimiser', () => {
    const draft = draftWith();
    const optimizer = {
      ...draft.optimizer,
      kind: 'adamw' as const,
      beta2: '0.95',
      decayedParameters: 'kernels' as const,
      schedule: 'step' as const,
      dropAtEpochs: '20',
      warmupEpochs: '5',
    };
    Object.assign(draft, { optimizer, accumulation: '8', labelSmoothing: '0.1' });
    const recipe = {
      accumulation: '2',
      labelSmoothing: '0.1',
      mixing: { kind: 'mixup' as const, alpha: 0.3, probability: 1 },
      ema: { decay: 0.99, warmup: false },
    };
    draft.planned = draft.planned.map((one) => ({ ...one, optimizer, ...recipe }));
    draft.teachers = [[{ kind: 'planned', key: 'teacher-a', weight: 3 }]];
    draft.discriminator = [true, 'reversal'];
    draft.discriminatorOptions = { learningRateFactor: '0.01', finalRelu: false, inputs: 'probabilities' };
    draft.choices = {
      teacherInputSize: [null, 380],
      ensemble: ['mean-logit'],
      temperature: [1, 4],
      hardLabelWeight: [0, 0.5],
      mixing: [{ kind: 'cutmix', alpha: 1, probability: 1 }, null],
      ema: [{ decay: 0.999, warmup: true }],
    };
    const design = designOf(draft);
    expect(design).toMatchObject({
      accumulation: 8,
      labelSmoothing: 0.1,
      planned: draft.planned.map(({ mixing, ema }) => ({ accumulation: 2, labelSmoothing: 0.1, mixing, ema })),
      optimizer: {
        adamw: { beta1: 0.9, beta2: 0.95 },
        decayedParameters: 'kernels',
        schedule: { kind: 'step', warmupEpochs: 5 },
      },
      factors: { discriminator: [true, 'reversal'], ...draft.choices },
      discriminatorOptions: { learningRateFactor: 0.01, finalRelu: false, inputs: 'probabilities' },
    });
    expect(designOf(draftFromDesign('x', '', design))).toEqual(design);
  });

  it('says nothing of what is as in MEAL V2', () => {
    const design = designOf(draftWith());
    expect(Object.keys(design.factors)).toEqual(['teachers', 'discriminator', 'inputSize']);
    for (const field of ['accumulation', 'labelSmoothing', 'discriminatorOptions'])
      expect(design).not.toHaveProperty(field);
  });

  it('gives each listed variant its own levels, and the only level of a factor to all', () => {
    const row = { teachers: [{ kind: 'planned' as const, key: 'teacher-a' }], discriminator: true, inputSize: '32' };
    const draft = draftWith({
      design: 'list',
      list: [
        { id: 'a', ...row, choices: { temperature: 4 } },
        { id: 'b', ...row },
      ],
    });
    draft.choices = { ...draft.choices, temperature: [1, 4], ensemble: ['mean-logit'] };
    const design = designOf(draft);
    expect(design.list.map(({ temperature, ensemble }) => [temperature, ensemble])).toEqual([
      [4, 'mean-logit'],
      [undefined, 'mean-logit'],
    ]);
    expect(designOf(draftFromDesign('x', '', design))).toEqual(design);
    draft.choices = { ...draft.choices, temperature: [2] };
    expect(designOf(draft).list.map(({ temperature }) => temperature)).toEqual([2, 2]);
  });

  it('sends what cannot change of an existing study as the study has it', () => {
    const design = designOf(draftWith());
    const existing = { ...design, accumulation: 1, labelSmoothing: 0 };
    const extended = designOf({ ...draftFromDesign('x', '', existing), seeds: [0, 1, 2, 3] });
    expect(keepFixed(extended, existing)).toEqual({ ...existing, seeds: [0, 1, 2, 3] });
    expect(keepFixed({ ...extended, accumulation: 2 }, design)).toEqual({ ...design, seeds: [0, 1, 2, 3] });
  });

  it('stores only the levels that its kind of design uses', () => {
    const list = [
      { id: 'a', teachers: [{ kind: 'planned' as const, key: 'teacher-a' }], discriminator: true, inputSize: '32' },
    ];
    const asList = designOf(draftWith({ design: 'list', list }));
    expect(asList.factors).toEqual({ teachers: [], discriminator: [], inputSize: [] });
    expect(asList.list).toHaveLength(1);
    expect(designOf(draftWith({ list })).list).toEqual([]);
  });
});

describe('problems', () => {
  it.each([
    ['epochs', { epochs: '' }, 'Epochs are a whole number.'],
    ['epochs', { epochs: '1.5' }, 'Epochs are a whole number.'],
    ['batchSize', { batchSize: '1' }, 'Batch norm needs a batch of at least 2.'],
    ['seeds', { seeds: [] }, 'Give at least one seed.'],
    ['dataset', { dataset: '' }, 'Choose a dataset.'],
  ] as const)('name %s', (path, part, message) => {
    expect(problemsOf(draftWith(part as Partial<StudyDraft>))).toEqual([{ path, message }]);
  });

  it('say which number is missing where the schema has no sentence for it', () => {
    const draft = draftWith();
    const optimizer = { ...draft.optimizer, momentum: '', schedule: 'step' as const, dropAtEpochs: '10, soon' };
    expect(problemsOf({ ...draft, optimizer })).toEqual([
      { path: 'optimizer.momentum', message: 'Give a number for the momentum.' },
      {
        path: 'optimizer.schedule.dropAtEpochs.1',
        message: 'Give a number for every epoch at which the learning rate drops.',
      },
    ]);
  });

  it('are at the fields of the choices', () => {
    const draft = draftWith({ accumulation: '0', labelSmoothing: '1' });
    draft.discriminatorOptions = { ...draft.discriminatorOptions, learningRateFactor: '' };
    draft.optimizer = {
      ...draft.optimizer,
      kind: 'adamw',
      beta1: '1',
      epsilon: '',
      schedule: 'step',
      dropAtEpochs: '',
    };
    expect(problemsOf(draft).map(({ path }) => path)).toEqual([
      'optimizer.adamw.beta1',
      'optimizer.adamw.epsilon',
      'optimizer.schedule.dropAtEpochs',
      'accumulation',
      'labelSmoothing',
      'discriminatorOptions.learningRateFactor',
    ]);
    for (const { message } of problemsOf(draft)) expect(message).not.toMatch(/Invalid input|Too /);
  });

  it('name the field of a network to train first', () => {
    const draft = draftWith();
    const planned = draft.planned.map((one) => ({ ...one, key: 'No Spaces', inputSize: '8' }));
    expect(problemsOf({ ...draft, planned }).map(({ path }) => path)).toEqual(['planned.0.key', 'planned.0.inputSize']);
  });

  it('leave the preview alone when only the name is missing', () => {
    const draft = draftWith({ name: '  ' });
    expect(parseDesign(draft).ok).toBe(true);
    expect(checkBasics(draft)).toEqual([{ path: 'name', message: 'Give the study a name.' }]);
  });

  it('show once their field was left, or all of them once creating was tried', () => {
    const problems = [
      { path: 'name', message: 'a' },
      { path: 'factors.teachers.1', message: 'b' },
    ];
    expect(visibleProblems(problems, new Set(), false)).toEqual([]);
    expect(visibleProblems(problems, new Set(['factors.teachers']), false).map(({ message }) => message)).toEqual([
      'b',
    ]);
    expect(visibleProblems(problems, new Set(), true)).toHaveLength(2);
    expect(problemAt(problems, 'factors.teachers')).toBeNull();
    expect(problemAt(problems, 'factors.teachers', true)).toBe('b');
  });
});

describe('networks to train first', () => {
  it('keep their places in ensembles, lists and the start when renamed', () => {
    const ref = { kind: 'planned' as const, key: 'teacher-a' };
    const draft = draftWith({ start: ref, list: [{ id: 'x', teachers: [ref], discriminator: true, inputSize: '32' }] });
    const renamed = changePlanned(draft, draft.planned[0]!.id, { key: 'wide' });
    expect(renamed.teachers).toEqual([[{ kind: 'planned', key: 'wide' }]]);
    expect(renamed.start).toEqual({ kind: 'planned', key: 'wide' });
    expect(renamed.list[0]?.teachers).toEqual([{ kind: 'planned', key: 'wide' }]);
  });

  it('do not take another’s places while both have the same name', () => {
    let draft = addPlanned(draftWith());
    const [first, second] = draft.planned;
    draft = { ...draft, teachers: [[{ kind: 'planned', key: first!.key }]] };
    draft = changePlanned(draft, second!.id, { key: first!.key });
    draft = changePlanned(draft, second!.id, { key: 'other' });
    expect(draft.teachers).toEqual([[{ kind: 'planned', key: first!.key }]]);
  });

  it('leave the ensembles when removed, and an ensemble that is then empty goes with them', () => {
    let draft = addPlanned(draftWith());
    const [a, b] = draft.planned.map(({ key }) => ({ kind: 'planned' as const, key }));
    draft = { ...draft, start: a!, teachers: [[a!], [a!, b!]] };
    const removed = removePlanned(draft, draft.planned[0]!.id);
    expect(removed.teachers).toEqual([[b]]);
    expect(removed.start).toEqual({ kind: 'random' });
  });

  it('get names that are free', () => {
    const draft = addPlanned(addPlanned(draftWith()));
    expect(draft.planned.map(({ key }) => key)).toEqual(['teacher-a', 'teacher-b', 'teacher-c']);
  });
});

describe('teachers to choose from', () => {
  const run = {
    runId: 'run_0000000000000000000001',
    label: 'wide (Old study)',
    network: 'resnet34_w16' as const,
    dataset: 'digits',
    classCount: 10,
    inputSize: 48,
    top1: 97.218,
    succeeded: true,
  };

  it('are the networks trained first, and succeeded runs of as many classes', () => {
    const others = [
      { ...run, classCount: 100 },
      { ...run, succeeded: false },
    ];
    const choices = teacherChoices(draftWith().planned, [run, ...others], 10);
    expect(choices.map(({ label, detail }) => `${label}: ${detail}`)).toEqual([
      'teacher-a: resnet50 · trained first',
      'wide (Old study): resnet34_w16 · 48 px · 97.22',
    ]);
  });
});

describe('weights of teachers', () => {
  const [a, b] = [
    { kind: 'planned' as const, key: 'a' },
    { kind: 'planned' as const, key: 'b' },
  ];
  it('are kept where they differ, and left out where all count the same', () => {
    expect(withWeights([a, b], { 'planned:a': '2', 'planned:b': '1' })).toEqual({
      ok: true,
      set: [{ ...a, weight: 2 }, b],
    });
    expect(withWeights([{ ...a, weight: 3 }, b], { 'planned:a': '2', 'planned:b': '2' })).toEqual({
      ok: true,
      set: [a, b],
    });
    expect(typedWeights([{ ...a, weight: 3 }, b])).toEqual({ 'planned:a': '3', 'planned:b': '1' });
  });
  it('are refused with a sentence', () => {
    expect(withWeights([a, b], { 'planned:a': '0' })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/above 0/),
    });
  });
});
