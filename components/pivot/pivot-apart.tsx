'use client';
import type { Top1Row } from '@mealtable/protocol/views';
import { type ApartLine, mergeCells } from './build-pivot';
import { type CellLooks, PivotCell } from './pivot-cell';
import { PivotHeading, RowHeading, STICKY } from './pivot-headings';

interface PivotApartProps {
  alone: readonly ApartLine[];
  teachers: readonly Top1Row[];
  /** Columns that name rows, and those of results. */
  heads: number;
  columns: number;
  looks: CellLooks;
}

/** What is no combination of the factors: the student alone under its size, and over all columns the networks that teach. */
export function PivotApart({ alone, teachers, heads, columns, looks }: PivotApartProps) {
  const name = (text: string) => (
    <RowHeading colSpan={heads} className={STICKY}>
      <span className="line-clamp-4 max-w-56 [overflow-wrap:anywhere]" title={text}>
        {text}
      </span>
    </RowHeading>
  );
  return (
    <>
      {alone.length > 0 && <PivotHeading columns={heads + columns}>Without teachers</PivotHeading>}
      {alone.map(({ label, cells }) => (
        <tr key={label} className="border-b last:border-b-0">
          {name(label)}
          {mergeCells(cells).map(({ row, span }, i) => (
            // Cells have no names of their own: their place is what they are.
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <PivotCell key={i} row={row} span={span} isBlank {...looks} />
          ))}
        </tr>
      ))}
      {teachers.length > 0 && <PivotHeading columns={heads + columns}>Teachers</PivotHeading>}
      {teachers.map((row) => (
        <tr key={row.variantId} className="border-b last:border-b-0">
          {name(row.label)}
          <PivotCell row={row} span={columns} {...looks} onReference={undefined} />
        </tr>
      ))}
    </>
  );
}
