/** What each factor does, on the page's scale and as text. */
import { isWithinNoise, pWords, signed } from '@mealtable/protocol/effect-words';
import { FACTOR_NAMES, FACTOR_WORDS, levelKey, levelWords } from '@mealtable/protocol/factor-levels';
import type { Levels } from '@mealtable/protocol/study-design';
import type { StudyEffects } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { formatInterval } from '../../components/format.ts';
import { effectScale, placeOn } from '../../components/study/effect-scale.ts';
import { type EffectsCopy, effectsText, effectsToCsv } from '../../components/study/effects-export.ts';
import { effectsFigure } from '../../components/study/effects-figure.ts';
import { tableToLatex, tableToMarkdown } from '../../components/study/table-cells.ts';
import { formatEffects, formatTop1Table } from '../../server/studies/format-table.ts';
import { difference, row } from './rows.ts';

const none = difference({ mean: null, std: null, n: 0, leftOut: 4, interval: null, p: null });
const effects: StudyEffects = {
  factors: [
    {
      factor: 'teachers',
      reference: 'a_1',
      levels: [
        { level: 'a_1 + b', variantPairs: 2, difference: difference({ leftOut: 1 }) },
        { level: '=b', variantPairs: 0, difference: none },
      ],
    },
    {
      factor: 'discriminator',
      reference: 'off',
      levels: [
        {
          level: 'on',
          variantPairs: 2,
          difference: difference({ mean: -0.2, interval: { low: -1, high: 0.6 }, p: 1e-9 }),
        },
      ],
    },
  ],
  interactions: [
    {
      factors: [
        { factor: 'teachers', level: 'a_1 + b', reference: 'a_1' },
        { factor: 'discriminator', level: 'on', reference: 'off' },
      ],
      difference: difference({ mean: 0.1, std: null, n: 1, interval: null, p: null }),
    },
  ],
};

const copy: EffectsCopy = { effects, metric: 'best', decimals: 2 };

describe('copies', () => {
  it('as CSV have a line per level and interaction, and nothing where nothing is known', () => {
    expect(effectsToCsv(copy)).toBe(
      [
        'Kind,Factor,Level,Against,Metric,Effect,Std,Pairs,Pairs left out,Low,High,p',
        'effect,Teachers,a_1 + b,a_1,val/top1 at its best epoch,+1.50,0.50,3,1,+0.26,+2.74,0.0351',
        "effect,Teachers,'=b,a_1,val/top1 at its best epoch,,,0,4,,,",
        'effect,Discriminator,on,off,val/top1 at its best epoch,-0.20,0.50,3,0,-1.00,+0.60,1e-9',
        'interaction,Teachers × Discriminator,a_1 + b × on,a_1 × off,val/top1 at its best epoch,+0.10,,1,0,,,',
        '',
      ].join('\n'),
    );
  });

  it('as Markdown are a padded table', () => {
    expect(tableToMarkdown(effectsText(copy))).toBe(
      [
        '| Factor                   | Level        | Against   | Effect |  Std |      n |  95 % interval |       p |',
        '| ------------------------ | ------------ | --------- | -----: | ---: | -----: | -------------: | ------: |',
        '| Teachers                 | a_1 + b      | a_1       |  +1.50 | 0.50 | 3 of 4 | [+0.26, +2.74] |   0.035 |',
        '| Teachers                 | =b           | a_1       |      – |    – | 0 of 4 |              – |       – |',
        '| Discriminator            | on           | off       |  -0.20 | 0.50 |      3 | [-1.00, +0.60] | \\<0.001 |',
        '| Teachers × Discriminator | a_1 + b × on | a_1 × off |  +0.10 |    – |      1 |              – |       – |',
        '',
        'Effects on top-1 in points, on the validation images, at the best epoch of each run: mean and sample standard deviation of the differences of runs paired by all other levels and the seed, with the 95 % interval and the two-sided p of the paired t test over n pairs.',
        '',
      ].join('\n'),
    );
  });

  it('as LaTeX have interactions below a rule of their own', () => {
    expect(tableToLatex(effectsText(copy)).split('\n').slice(5, -3)).toEqual([
      '  \\midrule',
      '  Teachers & a\\_1 + b & a\\_1 & $+1.50$ & $0.50$ & 3 of 4 & $[+0.26, +2.74]$ & $0.035$ \\\\',
      '  Teachers & =b & a\\_1 & -- & -- & 0 of 4 & -- & -- \\\\',
      '  Discriminator & on & off & $-0.20$ & $0.50$ & 3 & $[-1.00, +0.60]$ & $<0.001$ \\\\',
      '  \\midrule',
      '  Teachers $\\times$ Discriminator & a\\_1 + b $\\times$ on & a\\_1 $\\times$ off & $+0.10$ & -- & 1 & -- & -- \\\\',
    ]);
  });
});

describe('the figure for a paper', () => {
  const options = { decimals: 2, hasInteractions: true, caption: 'What <each> does' };

  it('is an SVG of its own with a row for each level, and the same bytes for the same numbers', () => {
    const { svg, width, height } = effectsFigure(effects, options)!;
    expect(svg.startsWith(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`)).toBe(true);
    expect(svg).toContain('<title>What &lt;each&gt; does</title>');
    for (const says of [
      'Teachers (against a_1)',
      'a_1 + b',
      '+1.50 [+0.26, +2.74], p 0.035',
      'no complete pair',
      '+0.10, n 1',
    ])
      expect(svg).toContain(`>${says}</text>`);
    expect(svg).toContain('>−0.20 [−1.00, +0.60], p &lt;0.001</text>');
    expect(effectsFigure(structuredClone(effects), options)!.svg).toBe(svg);
    expect(effectsFigure(effects, { ...options, hasInteractions: false })!.height).toBeLessThan(height);
  });

  it('sets names that are markup, endless or hold control characters as text', () => {
    const name = `<script>alert("1")</script>&\u0007${'x'.repeat(300)}`;
    const hostile = structuredClone(effects);
    hostile.factors[0]!.levels[0]!.level = name;
    hostile.factors[0]!.reference = name;
    const { svg } = effectsFigure(hostile, options)!;
    expect(svg).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp; ');
    expect(svg).not.toContain('x'.repeat(100));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
    expect(svg).not.toMatch(/<script|[\u0000-\u0009\u000b-\u001f]/);
  });

  it('is none while no pair is complete', () => {
    expect(effectsFigure({ factors: [], interactions: [] }, options)).toBeNull();
  });
});

describe('in a terminal', () => {
  it('effects are aligned, words to the left and figures to the right', () => {
    expect(formatEffects(effects).split('\n')).toEqual([
      'factor                    level         against    effect   std       n   95 % interval       p',
      'Teachers                  a_1 + b       a_1         +1.50  0.50  3 of 4  [+0.26, +2.74]   0.035',
      'Teachers                  =b            a_1             -     -  0 of 4               -       -',
      'Discriminator             on            off         -0.20  0.50       3  [-1.00, +0.60]  <0.001',
      'Teachers × Discriminator  a_1 + b × on  a_1 × off   +0.10     -       1               -       -',
    ]);
    expect(formatEffects({ factors: [], interactions: [] })).toBe('');
  });

  it('the top-1 table has the interval of the difference', () => {
    const rows = [
      row({
        role: 'baseline',
        label: 'alone',
        variantId: 'v1',
        isReference: true,
        n: 2,
        mean: 90,
        std: 0.5,
        bestEpoch: 7.5,
      }),
      row({ role: 'student', label: 'b', variantId: 'v2', n: 3, mean: 91.5, difference: difference() }),
      row({ role: 'student', label: 'c', variantId: 'v3', difference: none }),
    ];
    expect(formatTop1Table(rows).split('\n')).toEqual([
      'variant  n     top-1 (%)  best epoch  difference   95 % interval',
      'alone    2  90.00 ± 0.50         7.5   reference               -',
      'b        3         91.50           -       +1.50  [+0.26, +2.74]',
      'c        0             -           -           -               -',
    ]);
  });
});

describe('the scale of the plot', () => {
  it('holds 0, every effect and its interval, with 0 and round numbers marked', () => {
    const scale = effectScale([difference({ mean: 1.5, interval: { low: 0.3, high: 2.7 } })]);
    expect(scale!.min).toBeLessThan(0);
    expect(scale!.max).toBeGreaterThan(2.7);
    expect(scale!.ticks).toEqual([0, 1, 2]);
  });

  it('cuts off intervals that go far beyond the effects, and says on which side', () => {
    const wide = difference({ mean: 0.5, interval: { low: -40, high: 41 } });
    const scale = effectScale([wide, difference({ mean: -1, interval: null })])!;
    expect(scale.max).toBeLessThan(5);
    expect([placeOn(scale, -40), placeOn(scale, 41)]).toEqual([
      { at: 0, beyond: -1 },
      { at: 1, beyond: 1 },
    ]);
    expect(placeOn(scale, 0).beyond).toBe(0);
  });

  it('has none without an effect, and one for effects of nothing', () => {
    expect(effectScale([none])).toBeNull();
    expect(effectScale([difference({ mean: 0, interval: null })])?.ticks).toContain(0);
  });
});

describe('words', () => {
  it('signs are no signs of nothing', () => {
    expect([1.005, -0.004, 0.004, 0, -12.345].map((value) => signed(value))).toEqual([
      '+1.00',
      '0.00',
      '0.00',
      '0.00',
      '-12.35',
    ]);
    expect(formatInterval({ low: -0.3, high: 1.14 })).toBe('[−0.30, +1.14]');
    expect([0.5, 0.0349, 0.001, 0.00099].map(pWords)).toEqual(['0.500', '0.035', '0.001', '<0.001']);
  });

  it('noise is an interval that holds 0, its ends included; without one nobody knows', () => {
    expect(isWithinNoise({ interval: { low: 0, high: 1 } })).toBe(true);
    expect(isWithinNoise({ interval: { low: 0.01, high: 1 } })).toBe(false);
    expect(isWithinNoise({ interval: { low: -2, high: -1 } })).toBe(false);
    expect(isWithinNoise({ interval: null })).toBeNull();
  });

  it('levels have the words of labels, and equal levels equal keys', () => {
    const levels: Levels = { teachers: [{ kind: 'planned', key: 'a' }], discriminator: 'reversal', inputSize: 32 };
    const variant = { label: 'My study · discriminator reversed · 32 px', levels };
    const words = (['teachers', 'discriminator', 'inputSize', 'temperature'] as const).map((name) =>
      levelWords(variant, name),
    );
    expect(words).toEqual(['My study', 'reversed', '32 px', 'temperature 1']);
    expect(levelKey(levels, 'temperature')).toBe(levelKey({ ...levels, temperature: 1 }, 'temperature'));
    expect(FACTOR_NAMES.map((name) => FACTOR_WORDS[name])).toContain('Weight of hard labels');
  });
});
