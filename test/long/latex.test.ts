/** Every LaTeX export compiles with pdfLaTeX and booktabs alone, whatever names hold. `npm run test:latex`; the PDF is kept if asked for. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StudyEffects, Top1Row } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { buildPivot } from '../../components/pivot/build-pivot.ts';
import { pivotText } from '../../components/pivot/pivot-export.ts';
import { effectsText } from '../../components/study/effects-export.ts';
import { type TextTable, tableToLatex } from '../../components/study/table-cells.ts';
import { top1Text } from '../../components/study/table-export.ts';
import { COST_NAMES, type CostName, DEFAULT_VIEW } from '../../components/study/table-view.ts';
import { chooseEffects, chooseRows, referenceOf } from '../../components/study/top1-data.ts';
import { row, seedValue } from '../ui/rows.ts';

const hasLatex = spawnSync('pdflatex', ['--version']).status === 0;
if (!hasLatex)
  console.warn(
    'SKIPPED: there is no pdflatex, so nothing is proven. Debian: apt-get install texlive-latex-base poppler-utils',
  );

/** Every sign of ASCII, letters with accents, signs of mathematics, letters of other scripts, what LaTeX would run. */
const NAMES = [
  'teacher_a + teacher-b',
  Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join(''),
  '\\input{/etc/passwd} \\end{tabular} \\\\[2cm] & % $x_1^2$ #1 ~{} \\',
  '<img src=x onerror=alert(1)> & <b>bold</b>',
  "=cmd|' /C calc'!A0",
  '../../../etc/passwd/and/a/path/that/is/rather/long/for/one/line/of/a/table',
  'x'.repeat(300),
  'Zürich naïve Łódź Ærø ñ ç ő ş ẽ ã ß “quoted” ‘single’ – — … · × ± ≤ ≥ ≈ → α β γ ω − °',
  '中文 Ω Русский 🎉 \u0007 \u200b ễ',
  "--- `` '' ?` !` ,, ffi \"",
  '[optional] *starred',
  '',
];

function rowsOf(names: readonly string[]): Top1Row[] {
  return names.flatMap((name, i) =>
    [false, true].flatMap((discriminator) =>
      [24, 32].map((inputSize) => {
        const levels = { teachers: [{ kind: 'planned' as const, key: `k${i}` }], discriminator, inputSize };
        const label = `${name} · discriminator ${discriminator ? 'on' : 'off'} · ${inputSize} px`;
        const values = [0, 1, 2].map((seed) =>
          seedValue(seed, 80 + i / 7 + seed * (discriminator ? 0.9 : 1.1) + inputSize / 31),
        );
        if (i === 1) values[2]!.status = 'failed';
        if (i === 2) for (const value of values) value.status = 'running';
        return row({ role: 'student', label, variantId: label, levels, inputSize, values });
      }),
    ),
  );
}

/** @returns the pages' text, and LaTeX's log */
function compile(tables: readonly string[], keepAs: string): { text: string; log: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'latex-'));
  try {
    const body = tables.join('\n\\clearpage\n');
    const document = `\\documentclass{article}\n\\usepackage[a4paper,margin=2cm,landscape]{geometry}\n\\usepackage{booktabs}\n\\begin{document}\n${body}\n\\end{document}\n`;
    writeFileSync(path.join(folder, 'table.tex'), document);
    const run = spawnSync('pdflatex', ['-halt-on-error', '-interaction=nonstopmode', '-no-shell-escape', 'table.tex'], {
      cwd: folder,
    });
    const log = readFileSync(path.join(folder, 'table.log'), 'latin1');
    expect(run.status, log.slice(-3000)).toBe(0);
    if (process.env.MEALTABLE_LATEX_OUT)
      copyFileSync(path.join(folder, 'table.pdf'), path.join(process.env.MEALTABLE_LATEX_OUT, `${keepAs}.pdf`));
    return { text: execFileSync('pdftotext', ['-layout', 'table.pdf', '-'], { cwd: folder }).toString(), log };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const alone = row({
  ...{ role: 'baseline' as const, label: 'student alone · 24 px', variantId: 'alone', inputSize: 24 },
  isReference: true,
  values: [0, 1, 2].map((seed) => seedValue(seed, 79 + seed)),
});
function tablesOf(names: readonly string[], costs: readonly CostName[] = COST_NAMES): TextTable[] {
  const sent = [alone, ...rowsOf(names)];
  const rows = chooseRows(sent, DEFAULT_VIEW);
  const spread = { mean: 2.34, std: 0.12, n: 3 };
  const cost = {
    hours: spread,
    total: { hours: 7, runs: 3, attempts: 4, isOpen: false },
    parameters: 174970,
    macs: 4e7,
    imagesPerS: spread,
  };
  const shared = { metric: 'best' as const, decimals: 2, reproduces: 'resnet50-cutmix-224' as const };
  const effects: StudyEffects = chooseEffects(sent, DEFAULT_VIEW);
  const pivotBy = (choice: object) => buildPivot(rows, referenceOf(sent, null), { ...DEFAULT_VIEW, ...choice });
  return [
    top1Text({ rows, ...shared, costs: { names: costs, slots: 'gpu', of: () => cost } }),
    pivotText({ pivot: pivotBy({}), ...shared, differences: false }),
    pivotText({
      pivot: pivotBy({ rows: ['teachers'], columns: ['inputSize', 'discriminator'] }),
      ...shared,
      differences: true,
    }),
    pivotText({
      pivot: pivotBy({ rows: ['teachers'], columns: ['inputSize'], held: { discriminator: 'true' } }),
      ...shared,
      differences: false,
    }),
    effectsText({ effects, ...shared }),
  ];
}

describe.skipIf(!hasLatex)('pdfLaTeX', { timeout: 120_000 }, () => {
  it('sets the tables of an ordinary study, which fit the page', () => {
    const tables = tablesOf(['teacher-a', 'teacher-a + teacher-b', 'teacher_c'], ['hours']);
    const { text, log } = compile(
      tables.map((table, i) => tableToLatex(table, { float: { label: `tab:${i}` } })),
      'ordinary',
    );
    for (const words of [
      'teacher-a + teacher-b',
      'student alone',
      'Table 5',
      'GPU-hours',
      '95 % interval',
      '3 running',
    ])
      expect(text).toContain(words);
    expect(log.match(/Overfull \\hbox \((?:[3-9]\d|\d{3,})/g)).toBeNull();
    compile(
      tables.map((table) => tableToLatex(table)),
      'bare',
    );
  });

  it.each(NAMES.map((name, i) => [name, i] as const))('sets the name %j', (name, i) => {
    const { text } = compile(
      tablesOf([name, 'other']).map((table, k) => tableToLatex(table, { float: { label: `tab:${name}-${k}` } })),
      `name-${i}`,
    );
    expect(text).toContain('other');
    expect(text).not.toContain('root:');
  });
});
