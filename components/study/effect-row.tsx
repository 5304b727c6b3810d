import { isWithinNoise, pWords } from '@mealtable/protocol/effect-words';
import type { PairedDifference } from '@mealtable/protocol/views';
import { formatDifference, formatInterval, formatPercent, NONE } from '../format';
import { Badge } from '../ui/badge';
import { cn } from '../ui/cn';
import { Td, Tr } from '../ui/table';
import { EffectPlot } from './effect-plot';
import type { EffectScale } from './effect-scale';

interface EffectRowProps {
  /** What is compared with what, for those who do not see the plot. */
  name: string;
  level: string;
  against?: string;
  difference: PairedDifference;
  scale: EffectScale | null;
  decimals: number;
  /** Said instead of figures where the design compares nothing. */
  missing?: string | undefined;
}

export function EffectRow({ name, level, against, difference, scale, decimals, missing }: EffectRowProps) {
  const { mean, std, n, leftOut, interval, p } = difference;
  const isNoise = isWithinNoise(difference);
  const says = missing ?? explain(difference);
  return (
    <Tr className="hover:bg-hover">
      <Td className="break-words">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="min-w-0">
            {level}
            {against && <span className="text-ink-3"> against {against}</span>}
          </span>
          {isNoise && <Badge>Within noise</Badge>}
        </span>
        {says && <span className="block text-ink-3 text-xs">{says}</span>}
        <span className="num block text-ink-3 text-xs md:hidden">
          {interval && <span className="block">{formatInterval(interval, decimals)}</span>}n {n}
          {leftOut > 0 && `/${n + leftOut}`}
          {p !== null && ` · p ${pWords(p)}`}
        </span>
      </Td>
      <Td className="w-[30%] min-w-24">
        {scale && <EffectPlot name={name} difference={difference} scale={scale} isNoise={isNoise} />}
      </Td>
      <Td align="right" className="num whitespace-pre">
        <span className={cn(isNoise === false ? 'font-semibold' : 'text-ink-2')}>
          {formatDifference(mean, decimals)}
        </span>
        <span className="block text-ink-3 sm:inline-block sm:w-[7.5ch] sm:text-left">
          {std !== null && ` ± ${formatPercent(std, decimals)}`}
        </span>
      </Td>
      <Td align="right" className="num hidden whitespace-nowrap text-ink-2 md:table-cell">
        {interval ? formatInterval(interval, decimals) : NONE}
      </Td>
      <Td align="right" className="num hidden whitespace-nowrap md:table-cell">
        {n}
        {leftOut > 0 && <span className="text-ink-3">/{n + leftOut}</span>}
      </Td>
      <Td align="right" className="num hidden whitespace-nowrap text-ink-2 md:table-cell">
        {p === null ? NONE : pWords(p)}
      </Td>
    </Tr>
  );
}

/** Why there is no interval. */
function explain({ n, std }: PairedDifference): string | null {
  if (n === 0) return 'No complete pair yet.';
  if (n === 1) return 'One pair has no spread.';
  return std === 0 ? 'All pairs alike: no spread to judge by.' : null;
}
