/** The tables of a study as plain text for a terminal. */
import { effectRows, intervalWords, pairWords, pWords, signed } from '@mealtable/protocol/effect-words';
import type { StudyEffects, Top1Row } from '@mealtable/protocol/views';

const NONE = '-';

/** @returns aligned lines; the first `texts` columns to the left, figures to the right */
function align(lines: readonly (readonly string[])[], texts: number): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i < texts ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function formatTop1Table(rows: readonly Top1Row[]): string {
  const head = ['variant', 'n', 'top-1 (%)', 'best epoch', 'difference', '95 % interval'];
  const lines = rows.map(({ label, n, mean, std, bestEpoch, isReference, difference }) => [
    label,
    String(n),
    mean === null ? NONE : std === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${std.toFixed(2)}`,
    bestEpoch === null ? NONE : String(bestEpoch),
    isReference ? 'reference' : difference?.mean == null ? NONE : signed(difference.mean),
    difference?.interval ? intervalWords(difference.interval) : NONE,
  ]);
  return align([head, ...lines], 1);
}

/** Factors, and below them interactions; empty for a study that varies nothing. */
export function formatEffects(effects: StudyEffects): string {
  const rows = effectRows(effects);
  if (rows.length === 0) return '';
  const head = ['factor', 'level', 'against', 'effect', 'std', 'n', '95 % interval', 'p'];
  const lines = rows.map(({ factor, level, against, difference }) => [
    factor,
    level,
    against,
    difference.mean === null ? NONE : signed(difference.mean),
    difference.std === null ? NONE : difference.std.toFixed(2),
    pairWords(difference),
    difference.interval ? intervalWords(difference.interval) : NONE,
    difference.p === null ? NONE : pWords(difference.p),
  ]);
  return align([head, ...lines], 3);
}
