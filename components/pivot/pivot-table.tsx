'use client';
import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import { Grid3x3 } from 'lucide-react';
import { formatPercent } from '../format';
import { Badge } from '../ui/badge';
import { cn } from '../ui/cn';
import { EmptyState } from '../ui/empty-state';
import { Table, Th } from '../ui/table';
import { type Pivot, spansOf } from './build-pivot';
import { PivotApart } from './pivot-apart';
import { type CellLooks, PivotCell } from './pivot-cell';
import { LevelName, PivotHeading, RowHeading, STICKY } from './pivot-headings';
import { levelHeading } from './pivot-words';

interface PivotTableProps extends CellLooks {
  pivot: Pivot;
  reproduces: PublishedStudyName | undefined;
}

/** The first column that is a factor's stays; nested levels reach over the rows that they have in common. */
export function PivotTable({ pivot, reproduces, ...looks }: PivotTableProps) {
  const { axes, rows, columns, alone, teachers } = pivot;
  if (columns.every((_, i) => rows.every(({ cells }) => cells[i] === null)) && alone.length === 0)
    return <EmptyState icon={Grid3x3} title="No student variants" />;
  const heads = Math.max(1, axes.rows.length);
  const spans = spansOf(rows);
  const names = [...axes.rows, ...axes.columns].map(({ name }) => FACTOR_WORDS[name].toLowerCase());
  return (
    <Table label={`Top-1 by ${names.join(', ') || 'variant'}`}>
      <PivotHead pivot={pivot} heads={heads} />
      <tbody>
        {rows.map(({ levels, cells }, i) => (
          <tr key={levels.map(({ key }) => key).join('\n')} className="border-b last:border-b-0">
            {levels.length === 0 && <RowHeading className={STICKY}>Distilled</RowHeading>}
            {levels.map((level, depth) =>
              spans[i]![depth] === 0 ? null : (
                <RowHeading
                  key={axes.rows[depth]!.name}
                  rowSpan={spans[i]![depth]!}
                  className={depth === 0 ? STICKY : ''}
                >
                  <LevelName text={level.words} isReference={level.isReference} />
                </RowHeading>
              ),
            )}
            {cells.map((row, column) => (
              <PivotCell key={columns[column]!.levels.map(({ key }) => key).join('\n')} row={row} {...looks} />
            ))}
          </tr>
        ))}
        <PivotApart alone={alone} teachers={teachers} heads={heads} columns={columns.length} looks={looks} />
        {reproduces && <Published name={reproduces} heads={heads} columns={columns.length} decimals={looks.decimals} />}
      </tbody>
    </Table>
  );
}

/** A line for each factor on the columns; the rows' factors are named once, over all of them. */
function PivotHead({ pivot: { axes, columns }, heads }: { pivot: Pivot; heads: number }) {
  const depth = Math.max(1, axes.columns.length);
  const spans = spansOf(columns);
  const rowNames = axes.rows.length > 0 ? axes.rows.map(({ name }) => FACTOR_WORDS[name]) : ['Variant'];
  const sides = rowNames.map((name, i) => (
    <Th key={name} rowSpan={depth} className={cn('align-bottom', i === 0 && STICKY)}>
      <span className="block py-1.5">{name}</span>
    </Th>
  ));
  if (axes.columns.length === 0)
    return (
      <thead>
        <tr>
          {sides}
          <Th align="center">Top-1</Th>
        </tr>
      </thead>
    );
  return (
    <thead>
      {axes.columns.map((factor, level) => (
        <tr key={factor.name}>
          {level === 0 && sides}
          {columns.map((column, i) =>
            spans[i]![level] === 0 ? null : (
              <Th
                key={column.levels
                  .slice(0, level + 1)
                  .map(({ key }) => key)
                  .join('\n')}
                align="center"
                scope={level < depth - 1 ? 'colgroup' : 'col'}
                colSpan={spans[i]![level]!}
                className={cn(
                  'max-w-60 whitespace-normal border-l [overflow-wrap:anywhere]',
                  level === 0 && i === 0 && heads > 0 && 'border-l-0',
                )}
              >
                <LevelName
                  text={levelHeading(factor.name, column.levels[level]!)}
                  isReference={column.levels[level]!.isReference}
                />
              </Th>
            ),
          )}
        </tr>
      ))}
    </thead>
  );
}

/** The published result below the study's own: marked, since nothing of it was computed here. */
function Published(props: { name: PublishedStudyName; heads: number; columns: number; decimals: number }) {
  const { title, teachers, inputSize, top1 } = publishedStudy(props.name);
  return (
    <>
      <PivotHeading columns={props.heads + props.columns}>Published</PivotHeading>
      <tr className="bg-sunken/40 text-ink-2">
        <th
          scope="row"
          colSpan={props.heads}
          className={cn('max-w-60 bg-sunken px-2 py-2 text-left font-normal text-sm sm:px-3', STICKY)}
        >
          {title}
          <span className="block text-ink-3 text-xs">
            {teachers.join(' + ')} · discriminator on · {inputSize} px · by MEAL V2’s authors on ImageNet
          </span>
        </th>
        <td colSpan={props.columns} className="num px-2 py-2 sm:px-3">
          {formatPercent(top1, props.decimals)}{' '}
          <span className="font-sans">
            <Badge>Not computed here</Badge>
          </span>
        </td>
      </tr>
    </>
  );
}
