/** Which runs make a line, what the line is of, and what leaves the page as a file. */
import { describe, expect, it } from 'vitest';
import { buildLines, type SeriesLookup } from '../../components/chart/build-lines.ts';
import { chartCsv } from '../../components/chart/chart-csv.ts';
import { type ChartFactor, type ChartRun, groupRuns } from '../../components/chart/chart-groups.ts';
import { mergeColumns } from '../../components/chart/columns.ts';
import { chartFigure } from '../../components/chart/figure-svg.ts';
import { lineHex } from '../../components/chart/palette.ts';
import { figureNote } from '../../components/chart/save-chart.ts';
import { STUDY_VIEW } from '../../components/chart/view-state.ts';

const factors: ChartFactor[] = [
  { name: 'teachers', title: 'Teachers', levels: ['a', 'a + b'] },
  { name: 'discriminator', title: 'Discriminator', levels: ['off', 'on'] },
];
const METRIC = 'val/loss';

/** Two seeds of each of the four variants, and a baseline. */
const runs: ChartRun[] = ['a', 'a + b'].flatMap((teachers, t) =>
  ['off', 'on'].flatMap((discriminator, d) =>
    [1, 2].map((seed) => {
      const color = 2 * t + d;
      return {
        ...{
          id: `run ${color} ${seed}`,
          seed,
          variantId: `var ${color}`,
          variantLabel: `${teachers}, ${discriminator}`,
        },
        ...{ label: `${teachers}, ${discriminator}, ${seed}`, levels: { teachers, discriminator }, color },
        ...{ endedEarly: false, isLive: false },
      };
    }),
  ),
);
const baseline: ChartRun = {
  ...{ id: 'run b', label: '=HYPERLINK("x")', seed: 1, variantId: 'var b', variantLabel: '=HYPERLINK("x")' },
  ...{ levels: null, color: 4, endedEarly: false, isLive: false },
};
const none = { color: null, dash: null, facet: null } as const;

describe('groups', () => {
  const keys = (choice: Parameters<typeof groupRuns>[2]) =>
    groupRuns([...runs, baseline], factors, choice).map((group) => [group.label, group.runs.length]);

  it('are single runs, all seeds of a variant, or all runs alike in some factors; what has no levels stands alone', () => {
    expect(keys({ ...none, group: 'runs' })).toHaveLength(9);
    expect(keys({ ...none, group: 'variants' })).toEqual([
      ['a, off', 2],
      ['a, on', 2],
      ['a + b, off', 2],
      ['a + b, on', 2],
      ['=HYPERLINK("x")', 1],
    ]);
    expect(keys({ ...none, group: ['discriminator'] })).toEqual([
      ['Discriminator off', 4],
      ['Discriminator on', 4],
      ['=HYPERLINK("x")', 1],
    ]);
  });

  it('are told apart by what they are coloured, dashed or divided by as well', () => {
    const groups = groupRuns(runs, factors, {
      group: ['discriminator'],
      color: 'teachers',
      dash: 'discriminator',
      facet: null,
    });
    expect(groups.map(({ color, dash }) => [color, dash])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const facets = groupRuns([...runs, baseline], factors, { ...none, group: 'runs', facet: 'teachers' });
    expect(facets.map(({ facet }) => facet)).toEqual([
      'a',
      'a',
      'a',
      'a',
      'a + b',
      'a + b',
      'a + b',
      'a + b',
      'Other runs',
    ]);
  });
});

const columnsOf = (values: readonly number[]) =>
  mergeColumns(
    null,
    null,
    values.map((value, i) => ({ step: 10 * (i + 1), epoch: i + 1, at: 1_700_000_000_000 + i, value })),
  );
/** The first seed of each variant has three points, the second ends after two. */
const series: SeriesLookup = {
  columns: (id) => columnsOf(id === 'run b' ? [-1.5e-9, Number.NaN] : id.endsWith('1') ? [1, 2, 3] : [3, 6]),
  startOf: () => null,
};
const linesOf = (group: 'runs' | 'variants', more = {}) => {
  const view = { ...STUDY_VIEW, group, ...more };
  const groups = groupRuns([runs[0] as ChartRun, runs[1] as ChartRun, baseline], factors, view);
  return { groups, view, ...buildLines({ series, metric: METRIC, groups, view, focused: null }) };
};

describe('lines', () => {
  it('of a variant are the mean over its seeds, with how many there are', () => {
    const { lines, points } = linesOf('variants');
    expect(lines[0]).toMatchObject({ x: [1, 2, 3], y: [2, 4, 3], n: [2, 2, 1], most: 2 });
    expect(points).toBe(7);
    expect(figureNote(lines, STUDY_VIEW)).toBe(
      'Mean over runs (n = 1 to 2), band: ± std; dotted where some runs have ended',
    );
  });

  it('leave out runs that ended early, unless there is no other', () => {
    const early = runs.slice(0, 2).map((run) => ({ ...run, endedEarly: run.seed === 2 }));
    const build = (of: ChartRun[]) =>
      buildLines({
        series,
        metric: METRIC,
        groups: groupRuns(of, factors, STUDY_VIEW),
        view: STUDY_VIEW,
        focused: null,
      });
    expect(build(early).lines[0]).toMatchObject({ y: [1, 2, 3], most: 1 });
    expect(build([early[1] as ChartRun]).lines[0]).toMatchObject({ y: [3, 6] });
  });

  it('have the raw values behind smoothed ones, and single runs behind means on request', () => {
    expect(linesOf('runs', { smoothing: 0.5 }).lines.map(({ id, look }) => [id, look])).toContainEqual([
      'run 0 1 raw',
      'faint',
    ]);
    const seeds = linesOf('variants', { showsSeeds: true }).lines.filter(({ look }) => look === 'faint');
    expect(seeds.map(({ y }) => y)).toContainEqual([3, 6]);
  });
});

describe('a file', () => {
  it('of runs has every number with all its digits, and no name that a spreadsheet would obey', () => {
    const { groups, lines, view } = linesOf('runs');
    const text = chartCsv({ metric: '=cmd|x', groups, lines, series, view });
    const rows = text.split('\n');
    expect(rows[0]).toBe('metric,run,label,seed,step,epoch,time,value,min,max,points');
    expect(rows[1]).toBe(`'=cmd|x,run 0 1,"a, off",1,10,1,2023-11-14T22:13:20.000Z,1,1,1,1`);
    expect(text).toContain(`,"'=HYPERLINK(""x"")",1,10,1,2023-11-14T22:13:20.000Z,-1.5e-9,`);
    expect(text).toContain(',NaN,NaN,NaN,1\n');
  });

  it('of means says of how many each is', () => {
    const { groups, lines, view } = linesOf('variants');
    const rows = chartCsv({ metric: METRIC, groups, lines, series, view }).split('\n');
    expect(rows[0]).toBe('metric,line,epoch,mean,n,low (± std),high (± std)');
    expect(rows[3]).toBe('val/loss,"a, off",3,3,1,3,3');
  });

  it('as a figure is well-formed whatever things are called, in colours that every program knows', () => {
    const { lines } = linesOf('variants');
    const shown = { x: { from: 1, to: 3 }, y: { min: 0, max: 7 } };
    const title = `<script>"&'\u0000\ud800 ${'x'.repeat(300)}`;
    const svg = chartFigure({ title, yTitle: title, axis: 'epoch', isLog: false, lines, shown, note: '' });
    for (const wrong of ['<script', '\u0000', '\ud800', 'oklch', 'NaN']) expect(svg).not.toContain(wrong);
    expect(svg.match(/<text/g)?.length).toBeGreaterThan(8);
    expect(svg).toContain(`stroke="${lineHex(0, 'light')}"`);
    expect(svg).toContain('stroke-dasharray="1.5 3"');
    expect(lineHex(0, 'light')).toMatch(/^#[0-9a-f]{6}$/);
  });
});
