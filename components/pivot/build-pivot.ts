/** A study's student variants as rows by columns of its factors' levels. Every cell is one variant: nothing is averaged over factors. */
import { type FactorName, levelKey } from '@mealtable/protocol/factor-levels';
import { buildTop1Table } from '@mealtable/protocol/top1-table';
import type { Top1Row } from '@mealtable/protocol/views';
import {
  type Axes,
  type AxisChoice,
  chooseAxes,
  type Factor,
  isStudent,
  type Level,
  type Student,
} from './choose-axes.ts';

/** One row or column: a level of each factor of its axis; none on an axis without factors. */
export interface PivotLine {
  levels: Level[];
}
/** A variant that is no student's: a name, and its result under the columns that it belongs to. */
export interface ApartLine {
  label: string;
  cells: (Top1Row | null)[];
}
export interface Pivot {
  axes: Axes;
  rows: (PivotLine & { cells: (Top1Row | null)[] })[];
  columns: PivotLine[];
  /** The student alone, under its input size; other networks of that role reach over all columns. */
  alone: ApartLine[];
  /** Over all columns. */
  teachers: Top1Row[];
  /** Student variants that the levels held leave out. */
  hiddenCount: number;
  reference: Top1Row | null;
}

/** @param rows of the table, with the values of the chosen metric @param referenceId null: nothing is compared */
export function buildPivot(rows: readonly Top1Row[], referenceId: string | null, choice: AxisChoice): Pivot {
  const students = rows.filter(isStudent);
  const reference = rows.find(({ variantId }) => variantId === referenceId) ?? null;
  const axes = chooseAxes(students, reference && isStudent(reference) ? reference : null, choice);
  const shown = students.filter((student) =>
    axes.held.every(({ factor, level }) => levelKey(student.levels, factor.name) === level.key),
  );
  const results = resultsOf(rows, shown, referenceId);
  const cellOf = (variant: Top1Row) => results.get(variant.variantId) ?? null;
  const columns = linesOf(axes.columns, shown);
  const keyed = new Map(shown.map((student) => [keyOf(student, [...axes.rows, ...axes.columns]), student]));
  return {
    axes,
    columns,
    rows: linesOf(axes.rows, shown).map((line) => ({
      ...line,
      cells: columns.map((column) => {
        const student = keyed.get([...line.levels, ...column.levels].map(({ key }) => key).join('\n'));
        return student ? cellOf(student) : null;
      }),
    })),
    alone: aloneLines(rows, axes, columns, cellOf),
    teachers: rows.flatMap((row) => (row.role === 'teacher' ? (cellOf(row) ?? []) : [])),
    hiddenCount: students.length - shown.length,
    reference: reference && cellOf(reference),
  };
}

/** Differences to the reference, which may be hidden; the best, and what is within its noise, of the cells that are shown. */
function resultsOf(rows: readonly Top1Row[], shown: readonly Student[], referenceId: string | null) {
  const isShown = new Set(shown.map(({ variantId }) => variantId));
  const kept = rows.filter(
    (row) => row.role !== 'student' || isShown.has(row.variantId) || row.variantId === referenceId,
  );
  const marks = new Map(buildTop1Table(shown, null).map((row) => [row.variantId, row]));
  return new Map(
    buildTop1Table(kept, referenceId).map((row) => {
      const { isBest, isWithinNoiseOfBest } = marks.get(row.variantId) ?? { isBest: false, isWithinNoiseOfBest: false };
      return [row.variantId, { ...row, isBest, isWithinNoiseOfBest }];
    }),
  );
}

const keyOf = ({ levels }: Student, factors: readonly Factor[]): string =>
  factors.map(({ name }) => levelKey(levels, name)).join('\n');

/** Combinations that there is a variant of, in the order of the levels, the last factor fastest. */
function linesOf(factors: readonly Factor[], students: readonly Student[]): PivotLine[] {
  let lines: Level[][] = [[]];
  for (const [i, { levels }] of factors.entries()) {
    const there = new Set(students.map((student) => keyOf(student, factors.slice(0, i + 1))));
    // Cut after each factor: the product of many factors of a list would be far larger than the list.
    lines = lines
      .flatMap((line) => levels.map((level) => [...line, level]))
      .filter((line) => there.has(line.map(({ key }) => key).join('\n')));
  }
  return lines.map((levels) => ({ levels }));
}

/** With the size on the columns one line holds the student alone at every size. */
function aloneLines(
  rows: readonly Top1Row[],
  axes: Axes,
  columns: readonly PivotLine[],
  cellOf: (row: Top1Row) => Top1Row | null,
): ApartLine[] {
  const sizeAt = axes.columns.findIndex(({ name }) => name === ('inputSize' satisfies FactorName));
  const lines = new Map<string, ApartLine>();
  for (const row of rows.filter(({ role }) => role === 'baseline')) {
    const fits = columns.map(({ levels }) => sizeAt >= 0 && levels[sizeAt]?.key === String(row.inputSize));
    const label = fits.includes(true) ? row.label.replace(` · ${row.inputSize} px`, '') : row.label;
    const cells = columns.map((_, i) => (fits[i] || !fits.includes(true) ? cellOf(row) : null));
    const line = lines.get(label);
    // Two of one name at one size do not share a line.
    if (line && cells.every((one, i) => one === null || line.cells[i] === null))
      line.cells = line.cells.map((one, i) => one ?? cells[i]!);
    else lines.set(line ? row.label : label, { label: line ? row.label : label, cells });
  }
  return [...lines.values()];
}

/** Cells that stand side by side and are the same one, as one over several columns. */
export function mergeCells(cells: readonly (Top1Row | null)[]): { row: Top1Row | null; span: number }[] {
  const merged: { row: Top1Row | null; span: number }[] = [];
  for (const row of cells) {
    const last = merged.at(-1);
    if (last && row !== null && last.row === row) last.span++;
    else merged.push({ row, span: 1 });
  }
  return merged;
}

/**
 * Headings of nested levels: how many lines each reaches over; 0 where the one before reaches over it.
 * @returns by line, by factor
 */
export function spansOf(lines: readonly PivotLine[]): number[][] {
  const spans = lines.map(({ levels }) => levels.map(() => 0));
  for (const [i, { levels }] of lines.entries())
    for (const depth of levels.keys()) {
      const isSame = (other: PivotLine | undefined) =>
        other !== undefined && levels.slice(0, depth + 1).every((level, k) => other.levels[k] === level);
      if (isSame(lines[i - 1])) continue;
      let span = 1;
      while (isSame(lines[i + span])) span++;
      spans[i]![depth] = span;
    }
  return spans;
}
