/** The charts' part of a page's address: it comes back as it went, and whatever somebody writes there breaks nothing. */
import { FACTOR_NAMES } from '@mealtable/protocol/factor-levels';
import { describe, expect, it } from 'vitest';
import { X_AXES } from '../../components/chart/axes.ts';
import { BANDS } from '../../components/chart/mean-curve.ts';
import { ChartView, formatView, RUN_VIEW, readView, STUDY_VIEW, writeView } from '../../components/chart/view-state.ts';
import { makeRandom } from '../support/random.ts';

const random = makeRandom(7);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const WORDS = ['val/top1', 'a & b=c', 'on | 224 px', '50 %', '日本 <b>', '~', '1~2', '#x?y', ' =1+1', 'ü'.repeat(300)];
const words = () => [...new Set(Array.from({ length: Math.floor(random() * 4) }, () => pick(WORDS)))];

function randomView(): ChartView {
  const from = (random() - 0.5) * 10 ** Math.floor(random() * 12);
  return ChartView.parse({
    axis: pick(X_AXES),
    isLog: random() < 0.5,
    smoothing: Math.round(random() * 999) / 1000,
    ignoresOutliers: random() < 0.5,
    zoom: random() < 0.5 ? null : { from, to: from + random() * 1e6 + 1e-3 },
    group: pick(['runs', 'variants', [pick(FACTOR_NAMES)], [...FACTOR_NAMES]]),
    color: pick([null, ...FACTOR_NAMES]),
    dash: pick([null, ...FACTOR_NAMES]),
    facet: pick([null, ...FACTOR_NAMES]),
    band: pick(BANDS),
    showsSeeds: random() < 0.5,
    hidden: words(),
    search: pick(['', ...WORDS]),
    toggled: words(),
    large: pick([null, ...WORDS]),
    table: pick([null, ...WORDS]),
    pages: Object.fromEntries(words().map((word) => [word, 2 + Math.floor(random() * 500)])),
  });
}

describe('a view', () => {
  it('comes back from the address as it was, whatever it is and whatever is usual', () => {
    for (let i = 0; i < 200; i++) {
      const view = randomView();
      const usual = pick([STUDY_VIEW, RUN_VIEW]);
      const address = new URL(`https://hub.example/studies/x?${formatView(view, usual)}`);
      expect(readView(address.searchParams, usual)).toEqual(view);
    }
  });

  it('that is as usual leaves the address alone, and so do other people’s parameters', () => {
    const params = new URLSearchParams('tab=charts&c.x=clock&q=mine');
    writeView(params, STUDY_VIEW, STUDY_VIEW);
    expect(params.toString()).toBe('tab=charts&q=mine');
  });

  it('is always one that charts can show, for any text in the address', () => {
    const names = [
      'x',
      'log',
      'smooth',
      'outliers',
      'zoom',
      'group',
      'color',
      'band',
      'hide',
      'q',
      'section',
      'page',
      'large',
    ];
    const texts = [
      '',
      '1',
      '-1',
      'NaN',
      '1e999',
      '5~1',
      '1~2~3',
      'runs~',
      '__proto__',
      'x'.repeat(5_000),
      '\u0000',
      '0~',
      '~a',
      'null',
    ];
    for (let i = 0; i < 200; i++) {
      const params = new URLSearchParams();
      for (let n = 0; n < 6; n++) params.append(`c.${pick(names)}`, pick(texts));
      expect(ChartView.safeParse(readView(params, STUDY_VIEW)).success).toBe(true);
    }
  });

  it('keeps what can be read beside what cannot', () => {
    const view = readView(new URLSearchParams('c.smooth=2&c.x=clock&c.zoom=9~1&c.band=ci95'), STUDY_VIEW);
    expect(view).toEqual({ ...STUDY_VIEW, axis: 'clock', band: 'ci95' });
  });
});
