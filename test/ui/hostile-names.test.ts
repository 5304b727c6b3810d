/** Names are anybody's: whatever they hold, every export keeps its shape and obeys none of it. LaTeX is compiled in test/long/latex.test.ts. */
import { describe, expect, it } from 'vitest';
import { buildPivot } from '../../components/pivot/build-pivot.ts';
import { pivotText, pivotToCsv } from '../../components/pivot/pivot-export.ts';
import { effectsText, effectsToCsv } from '../../components/study/effects-export.ts';
import { tableToLatex, tableToMarkdown } from '../../components/study/table-cells.ts';
import { toCsv, top1Text } from '../../components/study/table-export.ts';
import { DEFAULT_VIEW } from '../../components/study/table-view.ts';
import { chooseEffects, chooseRows } from '../../components/study/top1-data.ts';
import { row, seedValue } from './rows.ts';

const NAMES = [
  '<img src=x onerror=alert(1)> & <b>bold</b>',
  '=HYPERLINK("http://x","y")',
  "+cmd|' /C calc'!A0",
  '-2+3',
  '@SUM(1)',
  '\t=1',
  '＝1',
  'a,b;c"d\ne|f',
  '\\input{/etc/passwd} $x$ %comment',
  '../../etc/passwd',
  'C:\\temp\\*',
  'x'.repeat(300),
];

function exportsOf(name: string) {
  const students = [name, 'other'].flatMap((teachers, i) =>
    [true, false].map((discriminator) => {
      const levels = { teachers: [{ kind: 'planned' as const, key: `k${i}` }], discriminator, inputSize: 24 };
      const label = `${teachers} · discriminator ${discriminator ? 'on' : 'off'} · 24 px`;
      const values = [seedValue(0, 80 + i), seedValue(1, 81.5 + 2 * i + (discriminator ? 0.2 : 0))];
      return row({ role: 'student', label, variantId: label, levels, inputSize: 24, values });
    }),
  );
  const teacher = row({ role: 'teacher', label: `${name} (resnet18)`, variantId: 't', values: [seedValue(0, 95)] });
  const sent = [teacher, ...students];
  const rows = chooseRows(sent, { metric: 'best', reference: students[0]!.variantId });
  const shared = { metric: 'best' as const, decimals: 2, reproduces: 'resnet50-224' as const };
  const pivot = { ...shared, pivot: buildPivot(rows, students[0]!.variantId, DEFAULT_VIEW), differences: true };
  const effects = { ...shared, effects: chooseEffects(sent, { metric: 'best', reference: students[0]!.variantId }) };
  const table = { ...shared, rows, costs: null };
  return {
    csv: [toCsv(table), pivotToCsv(pivot), effectsToCsv(effects)],
    texts: [top1Text(table), pivotText(pivot), effectsText(effects)],
  };
}

/** Cells of a CSV, read as RFC 4180 has it. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    lines.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    if (end === '\n') lines.push([]);
  }
  return lines.slice(0, -1);
}

describe.each(NAMES)('the name %j', (name) => {
  const { csv, texts } = exportsOf(name);

  it('is in every CSV, as a text of one cell', () => {
    for (const text of csv) {
      const lines = readCsv(text);
      expect(new Set(lines.map((line) => line.length)).size).toBe(1);
      const cells = lines.flat();
      expect(cells.some((one) => one.replace(/^'/, '').startsWith(name))).toBe(true);
      for (const one of cells) if (!/^[+-]\d+(\.\d+)?$/.test(one)) expect(one).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
    }
  });

  it('leaves every line of Markdown with as many cells, and opens no tag in it', () => {
    for (const text of texts.map(tableToMarkdown)) {
      const lines = text.split('\n').filter((line) => line.startsWith('|'));
      expect(new Set(lines.map((line) => line.split(/(?<!\\)(?:\\\\)*\|/).length)).size).toBe(1);
      expect(text).not.toMatch(/(?<!\\)</);
    }
  });

  it('leaves every line of LaTeX with as many columns, and runs nothing', () => {
    for (const table of texts) {
      const text = tableToLatex(table);
      expect(text).not.toMatch(/\\input|(?<!\\)%(?! (Needs|Top-1|Effects))|(?<!\\)#/);
      const body = text.slice(text.indexOf('\\toprule'), text.indexOf('\\bottomrule'));
      for (const line of body.split('\n').filter((one) => one.endsWith('\\\\'))) {
        const spans = [...line.matchAll(/\\multicolumn\{(\d+)\}/g)].reduce((sum, [, n]) => sum + Number(n) - 1, 0);
        expect(line.split(/(?<!\\)&/).length + spans).toBe(table.columns.length);
      }
    }
  });
});
