import type { RunStatus } from '@mealtable/protocol/statuses';
import type { Top1Row } from '@mealtable/protocol/views';
import { StatusIcon } from '../ui/status-badge';
import { Tip } from '../ui/tooltip';
import { STATUS_WORDS } from '../words';

/** Seeds that count, and the marks of those that do not (yet). */
export function SeedCount({ row }: { row: Pick<Top1Row, 'n' | 'values'> }) {
  const others = new Map<RunStatus, number>();
  for (const { status } of row.values) if (status !== 'succeeded') others.set(status, (others.get(status) ?? 0) + 1);
  const says = [...others].map(([status, count]) => `${count} ${STATUS_WORDS[status].toLowerCase()}`).join(', ');
  return (
    <span className="inline-flex items-center justify-end gap-1.5">
      {others.size > 0 && (
        <Tip text={says}>
          <span role="img" aria-label={says} className="inline-flex gap-0.5">
            {[...others.keys()].map((status) => (
              <StatusIcon key={status} status={status} className="size-3.5" />
            ))}
          </span>
        </Tip>
      )}
      <span className="num whitespace-nowrap">
        {row.n}
        <span className="text-ink-3">/{row.values.length}</span>
      </span>
    </span>
  );
}
