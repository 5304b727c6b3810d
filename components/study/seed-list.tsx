import type { Top1Row } from '@mealtable/protocol/views';
import { formatPercent } from '../format';
import { MemberLink } from '../share/member-link';
import { cn } from '../ui/cn';
import { StatusText } from '../ui/status-badge';

/** The runs behind one row. */
export function SeedList({ row, isNarrow = false }: { row: Top1Row; isNarrow?: boolean }) {
  return (
    <ul
      className={cn(
        'grid max-w-4xl gap-x-8 gap-y-0.5',
        !isNarrow && 'border-line-strong border-l pl-4 sm:grid-cols-2 xl:grid-cols-3',
      )}
    >
      {row.values.map((value) => (
        <li key={value.runId} className={cn('flex items-baseline text-sm', isNarrow ? 'gap-2' : 'gap-3')}>
          <MemberLink
            href={`/runs/${value.runId}`}
            className={cn(isNarrow ? 'w-14' : 'w-24', 'truncate text-accent hover:underline')}
          >
            Seed <span className="num">{value.seed}</span>
          </MemberLink>
          <span className="num w-12 text-right">{formatPercent(value.top1)}</span>
          <span className="w-20 whitespace-nowrap text-ink-3 text-xs">
            {value.epoch !== null && (
              <>
                epoch <span className="num">{value.epoch}</span>
              </>
            )}
          </span>
          <span className="text-xs">
            <StatusText status={value.status} />
          </span>
        </li>
      ))}
    </ul>
  );
}
