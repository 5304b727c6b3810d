/** The table's state in an address, what is done to columns, and where they stand. */

import { csvLine } from '@mealtable/protocol/csv';
import {
  DEFAULT_STATE,
  type RunsTableState,
  readRunsState,
  type TableColumn,
  writeRunsState,
} from '@mealtable/protocol/run-query-address';
import { RunFields } from '@mealtable/protocol/run-query-fields';
import { describe, expect, it } from 'vitest';
import {
  dropColumn,
  moveColumn,
  pinColumn,
  resizeColumn,
  toggleSort,
} from '../../components/runs-table/change-columns.ts';
import { columnsInSight, layOut, stretch } from '../../components/runs-table/grid-layout.ts';

const column = (field: string, isPinned = false, width: number | null = null): TableColumn => ({
  field,
  isPinned,
  width,
});
const back = (state: RunsTableState) => readRunsState(new URLSearchParams(writeRunsState(state).toString()));

describe('the address', () => {
  it('of the usual table says nothing', () => {
    expect(writeRunsState(DEFAULT_STATE).toString()).toBe('');
    expect(readRunsState(new URLSearchParams('tab=x'))).toEqual(DEFAULT_STATE);
  });

  it('holds all of the state, whatever the names', () => {
    const long = `val/${'x'.repeat(296)}`;
    const state: RunsTableState = {
      filter: 'host = "a,b" and `val/top1.max` > 1',
      sort: [
        { field: '-odd,name:%', descending: true },
        { field: 'seed', descending: false },
      ],
      group: ['teachers', 'config.a*b'],
      open: ['["t50, t152"]', '["t50, t152",null]'],
      columns: [
        column('variant', true, 200),
        column(long),
        column('*pin:ned', false, 48),
        column('=cmd()'),
        column('../../x'),
      ],
    };
    expect(back(state)).toEqual(state);
  });

  it('that somebody made up is read as far as it makes sense', () => {
    const state = readRunsState(
      new URLSearchParams(
        `runs.sort=${'a,'.repeat(50)}b,c,d,e,f,g&runs.group=a,a,b,c,d&runs.open=nonsense&runs.open={}&runs.columns=*seed:9e9,seed,:,,x:99999&runs.filter=${'x'.repeat(5_000)}`,
      ),
    );
    expect(state.sort).toHaveLength(5);
    expect(state.group).toEqual(['a', 'b', 'c']);
    expect(state.open).toEqual([]);
    expect(state.columns).toEqual([column('seed', true), column('x', false, 1_000)]);
    expect(state.filter).toHaveLength(2_000);
  });
});

describe('columns', () => {
  const columns = [column('a', true), column('b'), column('c'), column('d')];
  const names = (some: readonly TableColumn[]) => some.map(({ field }) => field).join('');

  it('are moved within their part, and dropped into another one', () => {
    expect(names(moveColumn(columns, 'c', -1))).toBe('acbd');
    expect(names(moveColumn(columns, 'b', -1))).toBe('abcd');
    expect(names(moveColumn(columns, 'd', 1))).toBe('abcd');
    expect(names(dropColumn(columns, 'b', 'd'))).toBe('acdb');
    expect(names(dropColumn(columns, 'd', 'b'))).toBe('adbc');
    expect(dropColumn(columns, 'd', 'a')[0]).toEqual(column('d', true));
    expect(names(dropColumn(columns, 'nope', 'a'))).toBe('abcd');
  });

  it('are pinned before the others, and kept from vanishing', () => {
    expect(names(pinColumn(columns, 'd', true))).toBe('adbc');
    expect(resizeColumn(columns, 'b', -500)[1]).toEqual(column('b', false, 48));
  });

  it('sort by one key, or with Shift by several', () => {
    const click = (sort: Parameters<typeof toggleSort>[0], field: string, isFurther = false) =>
      toggleSort(sort, field, { isFurther, descendingFirst: true });
    const once = click([], 'a');
    expect(once).toEqual([{ field: 'a', descending: true }]);
    expect(click(once, 'a')).toEqual([{ field: 'a', descending: false }]);
    expect(click(click(once, 'a'), 'a')).toEqual([]);
    expect(click(once, 'b')).toEqual([{ field: 'b', descending: true }]);
    const two = click(once, 'b', true);
    expect(two.map(({ field }) => field)).toEqual(['a', 'b']);
    expect(click(two, 'a', true)[0]).toEqual({ field: 'a', descending: false });
  });
});

describe('the layout', () => {
  const metrics = Array.from({ length: 300 }, (_, i) => `m/x${i}`);
  const fields = new RunFields({ version: '1', runs: 1, config: [], varied: [], metrics, values: {}, hidden: [] });
  const all = [column('status', true), column('variant', true), column('gone'), ...metrics.map((name) => column(name))];
  const of = (viewWidth: number) => layOut(all, fields, { hasSelect: true, isGrouped: false, viewWidth });

  it('draws the columns in sight, of hundreds', () => {
    const layout = of(1_200);
    const shown = columnsInSight(layout, 10_000, 1_200);
    expect(shown.length).toBeGreaterThan(4);
    expect(shown.length).toBeLessThan(20);
    expect(shown[0]!.left + shown[0]!.width).toBeGreaterThan(10_000);
    expect(layout.others).toHaveLength(300);
  });

  it('lets pinned columns scroll where they would leave no room', () => {
    expect(of(1_200).pinned.map(({ field }) => field.name)).toEqual(['status', 'variant']);
    expect(of(360).pinned).toEqual([]);
  });

  it('fills a table that is wider than its columns', () => {
    const few = layOut([column('status'), column('variant'), column('seed')], fields, {
      hasSelect: false,
      isGrouped: false,
      viewWidth: 1_000,
    });
    const wide = stretch(few, 1_000);
    expect(wide.totalWidth).toBe(1_000);
    const last = wide.others.at(-1)!;
    expect(last.left + last.width).toBe(1_000);
  });
});

describe('a line of CSV', () => {
  it('runs nothing in a spreadsheet, and keeps numbers as they are', () => {
    expect(csvLine(['=1+1', '@x', '＝1', '-2', -2, 1e-7, 'a,b', 'say "x"', 'a\nb', null, true, 'plain'])).toBe(
      `'=1+1,'@x,'＝1,'-2,-2,1e-7,"a,b","say ""x""","a\nb",,true,plain\n`,
    );
  });
});
