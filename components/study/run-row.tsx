'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { memo } from 'react';
import { formatPercent, NONE } from '../format';
import { RunStepsBar } from '../run/run-steps-bar';
import { Checkbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { StatusText } from '../ui/status-badge';
import { Td, Tr } from '../ui/table';
import { Elapsed, RelativeTime } from '../ui/time';
import { shownStatus } from '../words';
import { epochsDone } from './runs-columns';

export const ROW_HEIGHT = 36;

interface RunRowProps {
  run: RunSummaryView;
  rowIndex: number;
  isSelected: boolean;
  /** Absent for those who may not act on runs. */
  onSelect: ((id: string, isSelected: boolean) => void) | undefined;
}

/** Drawn anew only when its own run has changed: in a table of hundreds a few change every second. */
export const RunRow = memo(function RunRow({ run, rowIndex, isSelected, onSelect }: RunRowProps) {
  return (
    <Tr
      data-run={run.id}
      aria-rowindex={rowIndex}
      aria-selected={isSelected || undefined}
      className={cn('hover:bg-hover [&>td]:h-auto [&>td]:py-1', isSelected && 'bg-accent-soft/60')}
      style={{ height: ROW_HEIGHT }}
    >
      {onSelect && (
        <Td>
          <Checkbox
            aria-label={`Select ${run.variantLabel}, seed ${run.seed}`}
            checked={isSelected}
            onChange={(checked) => onSelect(run.id, checked)}
          />
        </Td>
      )}
      <Td>
        <StatusText status={shownStatus(run)} />
      </Td>
      <Td>
        <Link
          href={`/runs/${run.id}`}
          prefetch={false}
          title={run.variantLabel}
          className="block truncate font-medium hover:text-accent hover:underline"
        >
          {run.variantLabel}
          <span className="sr-only">, seed {run.seed}</span>
        </Link>
      </Td>
      <Td align="right" className="num">
        {run.seed}
      </Td>
      <Td>
        <RunStepsBar run={run} />
      </Td>
      <Td align="right" className="num font-medium">
        {formatPercent(run.bestTop1)}
      </Td>
      <Td align="right" className="num">
        {epochsDone(run)}
        <span className="text-ink-3">/{run.epochs}</span>
      </Td>
      <Td className="truncate text-ink-2" title={run.hostName ?? undefined}>
        {run.hostName ?? NONE}
      </Td>
      <Td align="right" className="num text-xs">
        <Elapsed from={run.startedAt} to={run.finishedAt} />
      </Td>
      <Td className="text-ink-2">
        <RelativeTime at={run.startedAt} />
      </Td>
    </Tr>
  );
});
