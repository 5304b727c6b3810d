'use client';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import type { GroupCell, RunCell, TableRun } from '@mealtable/protocol/run-query-view';
import { formatCount, NONE } from '../format';
import { RunStepsBar } from '../run/run-steps-bar';
import { MemberLink } from '../share/member-link';
import { StatusText } from '../ui/status-badge';
import { Elapsed, RelativeTime } from '../ui/time';
import { shownStatus } from '../words';
import { formatCell, formatMean } from './format-cell';

interface CellProps {
  run: TableRun;
  cell: RunCell | undefined;
  field: RunField;
}

/** What of a run is more than a text: its status, its link, its progress, times that go on. */
export function RunCellContent({ run, cell, field }: CellProps) {
  switch (field.name) {
    case 'status':
      return <StatusText status={shownStatus(run)} />;
    case 'variant':
      return (
        <MemberLink
          href={`/runs/${run.id}`}
          prefetch={false}
          tabIndex={-1}
          title={run.variantLabel}
          className="block truncate font-medium hover:text-accent hover:underline"
        >
          {run.variantLabel}
          <span className="sr-only">, seed {run.seed}</span>
        </MemberLink>
      );
    case 'progress':
      return <RunStepsBar run={run} />;
    case 'duration':
      return <Elapsed from={run.startedAt} to={run.finishedAt} />;
    case 'created':
    case 'started':
    case 'finished':
      return <RelativeTime at={typeof cell === 'number' ? cell : null} />;
    case 'epoch':
      return (
        <>
          {formatCell(cell, field)}
          <span className="text-ink-3">/{run.epochs}</span>
        </>
      );
    default:
      return <PlainCell cell={cell} field={field} />;
  }
}

function PlainCell({ cell, field }: Pick<CellProps, 'cell' | 'field'>) {
  const text = formatCell(cell, field);
  if (text === NONE) return <span className="text-ink-3">{NONE}</span>;
  const exact = typeof cell === 'number' && field.kind === 'number' ? String(cell) : text;
  return (
    <span title={exact} className="block truncate">
      {text}
    </span>
  );
}

/** Mean ± standard deviation (n), what all have in common, or how many different ones there are. */
export function GroupCellContent({ cell, field }: { cell: GroupCell | undefined; field: RunField }) {
  if (!cell) return null;
  if (cell.kind === 'mean') {
    const { mean, std, n } = cell;
    const words = `${formatMean(mean, field)}${std === null ? '' : ` ± ${formatMean(std, field)}`} (n = ${n})`;
    return (
      <span title={words} className="block truncate">
        {formatMean(mean, field)}
        {std !== null && <span className="text-ink-2"> ± {formatMean(std, field)}</span>}
        <span className="text-ink-3"> ({formatCount(n)})</span>
      </span>
    );
  }
  if (cell.kind === 'distinct')
    return <span className="block truncate font-normal text-ink-3">{formatCount(cell.count)} different</span>;
  return cell.value === null ? (
    <span className="text-ink-3">{NONE}</span>
  ) : (
    <PlainCell cell={cell.value} field={field} />
  );
}
