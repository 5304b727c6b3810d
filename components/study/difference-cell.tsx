import { isWithinNoise, pWords } from '@mealtable/protocol/effect-words';
import type { PairedDifference } from '@mealtable/protocol/views';
import { formatDifference, formatInterval, NONE, plural } from '../format';
import { cn } from '../ui/cn';

/** The difference to the reference over its 95 % interval; in bold where 0 lies outside of that. */
export function DifferenceCell({
  difference,
  decimals = 2,
  hasP = true,
}: {
  difference: PairedDifference | null;
  decimals?: number;
  /** Beside the interval, where the page is wide; it is in the hint in any case. */
  hasP?: boolean;
}) {
  if (difference === null) return <span className="text-ink-3">{NONE}</span>;
  const isNoise = isWithinNoise(difference);
  return (
    <span title={explain(difference)}>
      {isNoise && <span className="sr-only">Within noise: </span>}
      <span className={cn(isNoise === false ? 'font-semibold' : 'text-ink-2')}>
        {formatDifference(difference.mean, decimals)}
      </span>
      {difference.interval && (
        <span className="block text-ink-3 text-xs leading-4">
          {formatInterval(difference.interval, decimals)}
          {hasP && difference.p !== null && <span className="hidden xl:inline"> p {pWords(difference.p)}</span>}
        </span>
      )}
    </span>
  );
}

function explain({ n, leftOut, p, interval }: PairedDifference): string {
  if (n === 0) return 'No seed in common';
  const pairs = `Over ${plural(n, 'common seed')}${leftOut > 0 ? `, ${leftOut} left out` : ''}`;
  if (p !== null && interval !== null)
    return `${pairs}; p ${pWords(p)} (paired t test)${isWithinNoise({ interval }) ? ': within noise' : ''}`;
  return n === 1 ? `${pairs}: no spread, so no interval` : `${pairs}, all alike: no spread to judge by`;
}
