/** The form's pickers: networks, published weights and starts with their figures, grouped and searchable. */
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import { describe, expect, it } from 'vitest';
import { chosenSize, newDraft } from '../../components/study/form/draft.ts';
import { networkGroups, noteOf, weightsGroups } from '../../components/study/form/network-options.ts';
import { keepStart, startFrom, teacherChoices } from '../../components/study/form/teacher-choices.ts';
import { filterGroups } from '../../components/ui/combobox-groups.ts';

describe('the networks to pick from', () => {
  const groups = networkGroups(224);

  it('stand by family with parameters, GMACs at the size, usual size and the best published top-1, reduced ones last', () => {
    expect(groups.map(({ label }) => label)).toEqual([
      'ResNet',
      'SENet',
      'EfficientNet',
      'MobileNetV3',
      'Reduced, for trying things out',
    ]);
    const figuresOf = (name: string, among = groups) =>
      among.flatMap(({ options }) => options).find(({ value }) => value === name)?.figures;
    expect(figuresOf('resnet50')).toEqual(['25.6M', '4.09', '224', '81.72']);
    expect(figuresOf('resnet50', networkGroups(380))).toEqual(['25.6M', '12.0', '224', '81.72']);
    expect(figuresOf('resnet18_w8')).toEqual(['255k', '0.159', '224', '–']);
  });

  it('are found by any words of name and family', () => {
    const found = (search: string) =>
      filterGroups(groups, search).flatMap(({ options }) => options.map((o) => o.value));
    expect(found('B4 efficient')).toEqual(['tf_efficientnet_b4']);
    expect(found('reduced mobilenetv3 tf large')).toEqual(['tf_mobilenetv3_large_025']);
    expect(found('vgg')).toEqual([]);
  });
});

describe('published weights', () => {
  it('are listed under their full names only, each once, with a warning where the bare name misleads', () => {
    const options = weightsGroups(({ published }) => published.preprocessing.inputSize).flatMap((g) => g.options);
    const b4 = options.find(({ value }) => value === 'tf_efficientnet_b4.aa_in1k');
    expect(b4?.figures).toEqual(['19.3M', '4.39', '380', '83.04']);
    expect(options.map(({ value }) => value).sort()).toEqual([...KNOWN_WEIGHTS.keys()].sort());
    expect(options.every(({ label }) => label.includes('.'))).toBe(true);
    const warned = options.filter(({ note }) => note !== undefined).map(({ value }) => value);
    expect(warned.sort()).toEqual([
      'resnet50.a1_in1k',
      'tf_efficientnet_b0.ns_jft_in1k',
      'tf_efficientnet_b4.ns_jft_in1k',
    ]);
    expect(noteOf('resnet50.a1_in1k')).toMatch(/it meant resnet50\.ram_in1k\.$/);
  });

  it('teach where the dataset has their 1000 classes, after what was trained here', () => {
    const choices = teacherChoices([], [], 1000);
    expect(choices.map(({ label }) => label)).toContain('senet154.gluon_in1k');
    expect(choices.find(({ label }) => label === 'tf_efficientnet_b4.aa_in1k')).toMatchObject({
      ref: { kind: 'pretrained', weights: 'tf_efficientnet_b4.aa_in1k' },
      detail: 'published, top-1 83.04 at 380 px',
      group: 'Published weights: EfficientNet',
    });
    expect(teacherChoices([], [], 10)).toEqual([]);
  });

  it('start with their classifier where it fits, and with a new one where it does not', () => {
    const ref = { kind: 'pretrained' as const, weights: 'resnet50.ram_in1k' };
    expect(startFrom(ref, 1000)).toEqual({ ...ref, head: 'keep' });
    expect(startFrom(ref, null)).toEqual({ ...ref, head: 'keep' });
    expect(startFrom(ref, 10)).toEqual({ ...ref, head: 'replace' });
  });

  it('leave the start when the network becomes another', () => {
    const start = startFrom({ kind: 'pretrained', weights: 'resnet50.ram_in1k' }, 10);
    expect(keepStart(start, 'resnet50')).toBe(start);
    expect(keepStart(start, 'resnet18')).toEqual({ kind: 'random' });
    const run = { kind: 'run' as const, runId: 'run_0000000000000000000001' };
    expect(keepStart(run, 'resnet18')).toBe(run);
  });
});

it('costs are shown at the first size of the design, whichever kind it is', () => {
  const draft = newDraft('digits');
  const variant = { id: 'a', teachers: [], discriminator: true, inputSize: '48' };
  expect(chosenSize({ ...draft, inputSize: [380, 224] })).toBe(380);
  expect(chosenSize({ ...draft, design: 'list', list: [variant] })).toBe(48);
  expect(chosenSize({ ...draft, design: 'list', list: [{ ...variant, inputSize: 'x' }] })).toBe(224);
  expect(chosenSize({ ...draft, inputSize: [] })).toBe(224);
});
