/** A table's view in the address: every choice comes back, and a bad one loses no other. */
import { describe, expect, it } from 'vitest';
import { fileStem } from '../../components/study/file-stem.ts';
import { DEFAULT_VIEW, parseTableView, type TableView, writeTableView } from '../../components/study/table-view.ts';

const parse = (search: string) => parseTableView(new URLSearchParams(search));
const REFERENCE = 'var_01m8ch8cda8s8sxp4xxxtx';
const chosen: TableView = {
  view: 'pivot',
  rows: ['temperature', 'teachers'],
  columns: [],
  metric: 'test-best',
  costs: ['hours', 'macs'],
  reference: REFERENCE,
  decimals: 3,
  differences: true,
  held: { discriminator: 'reversal', teachers: 'a+run_01m8ch8cda8s8sxp4xxxtx*2' },
};

describe('the address', () => {
  it('gives back what was written, beside what others have there', () => {
    const written = writeTableView(new URLSearchParams('tab=runs&t.view=old&x=1'), chosen);
    expect(parseTableView(new URLSearchParams(written.toString()))).toEqual(chosen);
    expect([written.get('tab'), written.get('x')]).toEqual(['runs', '1']);
  });

  it('says nothing of what is the default, unless the link is to stay the same whatever the default becomes', () => {
    expect(writeTableView(new URLSearchParams('a=1'), DEFAULT_VIEW).toString()).toBe('a=1');
    const full = writeTableView(new URLSearchParams(), DEFAULT_VIEW, true);
    expect(Object.fromEntries(full)).toEqual({
      ...{ 't.view': 'variants', 't.metric': 'best', 't.costs': '', 't.decimals': '2', 't.differences': '0' },
    });
    expect(parseTableView(full)).toEqual(DEFAULT_VIEW);
  });

  it.each([
    ['t.view=<script>', {}],
    ['t.metric=top5&t.decimals=9&t.view=pivot', { view: 'pivot' }],
    ['t.decimals=&t.differences=yes&t.costs=hours,,money,hours', { costs: ['hours'] }],
    ['t.rows=teachers,constructor,teachers&t.columns=', { rows: ['teachers'], columns: [] }],
    ['t.reference=var_1&t.decimals=0', { decimals: 0 }],
    [`t.at.discriminator=${'x'.repeat(3000)}&t.at.nothing=1&t.at.mixing=unmixed`, { held: { mixing: 'unmixed' } }],
    ['t.view=pivot&t.view=variants', { view: 'pivot' }],
  ])('%s falls back where it is bad and only there', (search, expected) => {
    expect(parse(search)).toEqual({ ...DEFAULT_VIEW, ...expected });
  });
});

it.each([
  ['MEAL V2: teachers × size', 'meal-v2-teachers-size'],
  ['../../etc/passwd', 'etc-passwd'],
  ["=cmd|' /C calc'!A0.exe", 'cmd-c-calc-a0-exe'],
  ['Zürich', 'zurich'],
  ['中文', 'study'],
  ['x'.repeat(300), 'x'.repeat(60)],
])('a file of the study %j is named %j', (name, stem) => expect(fileStem(name)).toBe(stem));
