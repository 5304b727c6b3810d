/** The top-1 table as plain text for a terminal. */
import type { Top1Row } from '@mealtable/protocol/views';

const HEAD = ['variant', 'n', 'top-1 (%)', 'best epoch', 'difference'];

const signed = (x: number) => `${x > 0 ? '+' : ''}${x.toFixed(2)}`;

function cellsOf(row: Top1Row): string[] {
  const mean = row.mean === null ? '-' : row.mean.toFixed(2);
  return [
    row.label,
    String(row.n),
    row.std === null ? mean : `${mean} ± ${row.std.toFixed(2)}`,
    row.bestEpoch === null ? '-' : String(row.bestEpoch),
    row.isReference ? 'reference' : row.difference === null ? '-' : signed(row.difference),
  ];
}

/** @returns aligned lines, the variant to the left and the figures to the right */
export function formatTop1Table(rows: readonly Top1Row[]): string {
  const lines = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
