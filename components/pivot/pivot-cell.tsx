'use client';
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { Top1Row } from '@mealtable/protocol/views';
import { formatPercent } from '../format';
import { DifferenceCell } from '../study/difference-cell';
import { SeedList } from '../study/seed-list';
import { countWords, unfinishedWords } from '../study/table-words';
import { Badge } from '../ui/badge';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { Popover } from '../ui/popover';
import { StatusIcon } from '../ui/status-badge';

export interface CellLooks {
  decimals: number;
  /** To the reference, below the mean. */
  differences: boolean;
  onReference: ((variantId: string) => void) | undefined;
}
interface PivotCellProps extends CellLooks {
  /** Null: there is no such variant. */
  row: Top1Row | null;
  span?: number;
  /** What there is no variant of is no gap: it was never a combination. */
  isBlank?: boolean;
}

const HATCHED = 'bg-[repeating-linear-gradient(135deg,var(--line)_0_1px,transparent_1px_7px)]';

/** Mean ± std (n) of one variant; its runs on request. */
export function PivotCell({ row, span = 1, isBlank = false, ...looks }: PivotCellProps) {
  const edge = 'border-l px-2 py-1.5 text-center align-top sm:px-3';
  if (row === null)
    return (
      <td colSpan={span} className={cn(edge, !isBlank && HATCHED)}>
        <span className="sr-only">{isBlank ? 'Nothing' : 'Not in the design'}</span>
      </td>
    );
  return (
    <td colSpan={span} data-variant={row.variantId} className={cn(edge, row.isBest && 'bg-accent-soft/50')}>
      <Popover
        label={`Runs of ${row.label}`}
        trigger={
          <button
            type="button"
            title={unfinishedWords(row) || undefined}
            aria-label={`${says(row, looks.decimals)}. Runs of ${row.label}`}
            className="num inline-flex flex-wrap items-center justify-center gap-x-1.5 gap-y-0.5 rounded-control px-1 py-0.5 hover:bg-hover"
          >
            <CellFigures row={row} decimals={looks.decimals} />
          </button>
        }
      >
        <p className="mb-2 font-medium text-sm [overflow-wrap:anywhere]">{row.label}</p>
        <SeedList row={row} isNarrow />
        {looks.onReference && !row.isReference && (
          <Button size="sm" className="mt-2" onClick={() => looks.onReference?.(row.variantId)}>
            Use as the reference
          </Button>
        )}
      </Popover>
      {looks.differences && row.difference?.mean != null && (
        <span className="num block pb-0.5 text-xs">
          <DifferenceCell difference={row.difference} decimals={looks.decimals} />
        </span>
      )}
    </td>
  );
}

function CellFigures({ row, decimals }: { row: Top1Row; decimals: number }) {
  const { mean, std, n, values, isBest, isReference, isWithinNoiseOfBest } = row;
  const others = [...new Set(values.flatMap(({ status }): RunStatus[] => (status === 'succeeded' ? [] : [status])))];
  return (
    <>
      {others.map((status) => (
        <StatusIcon key={status} status={status} className="size-3.5" />
      ))}
      {mean === null ? (
        <span className="font-sans text-ink-2 text-xs">{unfinishedWords(row) || 'No runs'}</span>
      ) : (
        <span className="whitespace-nowrap">
          <span className={cn('font-medium', isBest && 'font-semibold text-accent')}>
            {formatPercent(mean, decimals)}
          </span>
          <span className="text-ink-3">
            {std !== null && ` ± ${formatPercent(std, decimals)}`}
            <span className="text-xs"> ({n === values.length ? n : `${n}/${values.length}`})</span>
          </span>
        </span>
      )}
      {(isBest || isWithinNoiseOfBest || isReference) && (
        <span className="inline-flex flex-wrap gap-1 font-sans">
          {isBest && <Badge tone="accent">Best</Badge>}
          {isWithinNoiseOfBest && <Badge>≈ best</Badge>}
          {isReference && <Badge>Reference</Badge>}
        </span>
      )}
    </>
  );
}

/** The same for those who do not see it. */
function says(row: Top1Row, decimals: number): string {
  const { mean, std, isBest, isReference, isWithinNoiseOfBest } = row;
  const spread = std === null ? '' : ` plus or minus ${formatPercent(std, decimals)}`;
  return [
    mean === null ? 'No result' : `${formatPercent(mean, decimals)}${spread}, n ${countWords(row)}`,
    ...(unfinishedWords(row) === '' ? [] : [unfinishedWords(row)]),
    ...(isBest ? ['best'] : []),
    ...(isWithinNoiseOfBest ? ['within noise of the best'] : []),
    ...(isReference ? ['reference'] : []),
  ].join(', ');
}
