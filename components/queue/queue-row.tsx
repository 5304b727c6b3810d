'use client';
import type { QueueItem } from '@mealtable/protocol/views';
import Link from 'next/link';
import { formatBytes, NONE, plural } from '../format';
import { Badge } from '../ui/badge';
import { Checkbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { Skeleton } from '../ui/skeleton';
import { StatusIcon } from '../ui/status-badge';
import { Td, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { priorityWord, shownStatus } from '../words';
import { NEXT_TEXT, WaitReasonText } from './wait-reason';

/** Two lines: a run and its study, a reason and its second line. Where the table is narrow they stand one below the other. */
export const ROW_HEIGHT = { wide: 60, narrow: 104 };

interface QueueRowProps {
  /** Undefined while its page is on its way. */
  item: QueueItem | undefined;
  rowIndex: number;
  isNarrow: boolean;
  isSelected: boolean;
  /** Absent for those who may not act on runs. */
  onSelect: ((item: QueueItem, isSelected: boolean) => void) | undefined;
}

export function QueueRow({ item, rowIndex, isNarrow, isSelected, onSelect }: QueueRowProps) {
  const height = isNarrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide;
  if (!item)
    return (
      <Tr aria-rowindex={rowIndex} style={{ height }}>
        <Td colSpan={(isNarrow ? 2 : 5) + (onSelect ? 1 : 0)}>
          <Skeleton className="h-4 w-2/3" />
        </Td>
      </Tr>
    );
  const { run, position, reasons } = item;
  return (
    <Tr
      data-run={run.id}
      aria-rowindex={rowIndex}
      aria-selected={isSelected || undefined}
      className={cn('hover:bg-hover [&>td]:h-auto [&>td]:py-1', isSelected && 'bg-accent-soft/60')}
      style={{ height }}
    >
      {onSelect && (
        <Td>
          <Checkbox
            aria-label={`Select ${run.variantLabel}, seed ${run.seed}`}
            checked={isSelected}
            onChange={(checked) => onSelect(item, checked)}
          />
        </Td>
      )}
      <Td align="right" className="num text-ink-2">
        {position ?? <span className="text-ink-3">{NONE}</span>}
      </Td>
      <Td>
        <div className="flex min-w-0 items-center gap-1.5">
          <StatusIcon status={shownStatus(run)} className="size-3.5" />
          <Link
            href={`/runs/${run.id}`}
            prefetch={false}
            title={run.variantLabel}
            className="min-w-0 truncate font-medium hover:text-accent hover:underline"
          >
            {run.variantLabel}
          </Link>
          <span className="num shrink-0 text-ink-3 text-xs">seed {run.seed}</span>
        </div>
        <div className="flex min-w-0 items-center gap-1.5 text-xs">
          <Link
            href={run.role === 'evaluation' ? '/evaluations' : `/studies/${run.studyId}`}
            prefetch={false}
            title={run.studyName}
            className="min-w-0 truncate text-ink-3 hover:text-accent hover:underline"
          >
            {run.studyName}
          </Link>
          <Wishes item={item} />
        </div>
        {isNarrow && (
          <div className="mt-1 text-xs">
            <Reasons reasons={reasons} position={position} />
          </div>
        )}
      </Td>
      {!isNarrow && (
        <>
          <Td className={cn('text-ink-2', run.priority > 0 && 'font-medium text-ink')}>{priorityWord(run.priority)}</Td>
          <Td className="text-ink-2">
            <RelativeTime at={run.createdAt} />
          </Td>
          <Td>
            <Reasons reasons={reasons} position={position} />
          </Td>
        </>
      )}
    </Tr>
  );
}

function Wishes({ item: { run } }: { item: QueueItem }) {
  return (
    <>
      {run.requiredLabels.slice(0, 2).map((label) => (
        <Badge key={label}>{label}</Badge>
      ))}
      {run.requiredLabels.length > 2 && <Badge>+{run.requiredLabels.length - 2}</Badge>}
      {run.requiredMemory !== null && <Badge>{formatBytes(run.requiredMemory)}</Badge>}
    </>
  );
}

function Reasons({ reasons: [first, ...others], position }: Pick<QueueItem, 'reasons' | 'position'>) {
  if (!first) return <span className="text-good">{NEXT_TEXT}</span>;
  return (
    <div
      className="line-clamp-2 break-words text-ink-2"
      title={others.length > 0 ? 'The run’s page has all reasons' : undefined}
    >
      <WaitReasonText reason={first} position={position} />
      {others.length > 0 && (
        <span className="text-ink-3"> And {plural(others.length, 'more reason', 'more reasons')}.</span>
      )}
    </div>
  );
}
