import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import { formatPercent, NONE } from '../format';
import { Badge } from '../ui/badge';
import { cn } from '../ui/cn';
import { Td } from '../ui/table';

interface PublishedRowProps {
  name: PublishedStudyName;
  columns: number;
  decimals: number;
  hasStrip: boolean;
  /** Columns after that of top-1, which it has nothing for. */
  after: number;
}

/** The published result below the study's own: marked, since nothing of it was computed here. */
export function PublishedRow({ name, columns, decimals, hasStrip, after }: PublishedRowProps) {
  const { title, teachers, inputSize, top1, top5 } = publishedStudy(name);
  return (
    <>
      <tr>
        <th
          scope="colgroup"
          colSpan={columns}
          className="border-b bg-sunken/60 px-3 py-1.5 text-left font-semibold text-ink-2 text-xs"
        >
          Published
        </th>
      </tr>
      <tr className="bg-sunken/40 text-ink-2">
        <Td className="hidden sm:table-cell" />
        <Td className="sm:pl-1.5 md:min-w-48">
          <span className="flex flex-wrap items-center gap-x-2 gap-y-1 pl-5">
            {title}
            <Badge>Not computed here</Badge>
          </span>
          <span className="block break-words pl-5 text-ink-3 text-xs">
            {teachers.join(' + ')} · by MEAL V2’s authors on ImageNet · top-5 {formatPercent(top5)}
          </span>
        </Td>
        <Td className="hidden md:table-cell">On</Td>
        <Td align="right" className="num hidden md:table-cell">
          {inputSize}
        </Td>
        <Td align="right" className="num hidden md:table-cell">
          {NONE}
        </Td>
        <Td className={cn('hidden', hasStrip && 'md:table-cell')} />
        <Td align="right" className="num whitespace-pre">
          {formatPercent(top1, decimals)}
          <span className="block sm:inline-block sm:w-[7.5ch]" />
        </Td>
        <Td colSpan={after} className="hidden md:table-cell" />
      </tr>
    </>
  );
}
