'use client';
import { discriminatorWord } from '@mealtable/protocol/study-choices';
import type { Top1Row as Row } from '@mealtable/protocol/views';
import { ChevronRight, Trophy } from 'lucide-react';
import { formatPercent, NONE } from '../format';
import { Badge } from '../ui/badge';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { Td } from '../ui/table';
import { Tip } from '../ui/tooltip';
import { CostCells } from './cost-cells';
import { DifferenceCell } from './difference-cell';
import { SeedCount } from './seed-count';
import { SeedList } from './seed-list';
import { SeedStrip } from './seed-strip';
import type { TableCosts } from './table-export';
import { otherLevels, teacherNames } from './teacher-names';
import { hasStrip } from './top1-groups';

interface Top1RowProps {
  row: Row;
  range: { min: number; max: number } | null;
  decimals: number;
  hasEpoch: boolean;
  costs: TableCosts | null;
  isOpen: boolean;
  onToggle: () => void;
  onReference: () => void;
  columns: number;
}

export function Top1Row(props: Top1RowProps) {
  const { row, range, decimals, hasEpoch, costs, isOpen, onToggle, onReference, columns } = props;
  const { isBest } = row;
  const name = teacherNames(row) ?? row.label;
  const others = otherLevels(row).join(' · ');
  return (
    <>
      <tr
        data-variant={row.variantId}
        className={cn('border-b last:border-b-0 hover:bg-hover', isBest && 'bg-accent-soft/50', isOpen && 'border-b-0')}
      >
        <Td className="hidden pr-0 sm:table-cell sm:pr-0">
          <input
            type="radio"
            name="reference"
            aria-label={`Use ${row.label} as the reference`}
            checked={row.isReference}
            onChange={onReference}
            className="block size-4 accent-accent"
          />
        </Td>
        <Td
          className={cn(
            'sm:pl-1.5 md:min-w-48',
            costs && 'sticky left-0 z-10 max-w-44 shadow-[1px_0_0_var(--line)] md:max-w-none md:shadow-none',
            costs && (isBest ? OPAQUE_BEST : 'bg-surface'),
          )}
        >
          <button
            type="button"
            aria-expanded={isOpen}
            // Several rows have the same teachers: the whole label tells them apart.
            aria-label={`Seeds of ${row.label}`}
            onClick={onToggle}
            className="inline-flex max-w-full items-start gap-1 rounded-control text-left"
            title={row.label}
          >
            <ChevronRight
              aria-hidden
              className={cn('mt-0.5 size-4 shrink-0 text-ink-3 transition-transform', isOpen && 'rotate-90')}
            />
            <span className={cn('line-clamp-4 [overflow-wrap:anywhere]', isBest && 'font-semibold')}>{name}</span>
          </button>
          {(isBest || row.isReference || row.isWithinNoiseOfBest) && (
            <span className="ml-2 inline-flex flex-wrap gap-1 align-top">
              {isBest && (
                <Badge tone="accent">
                  <Trophy aria-hidden />
                  Best
                </Badge>
              )}
              {row.isWithinNoiseOfBest && (
                <Tip text="Within noise of the best: the 95 % interval of the difference to it, paired by seed, holds 0">
                  <span>
                    <Badge>
                      <span aria-hidden>≈ best</span>
                      <span className="sr-only">Within noise of the best</span>
                    </Badge>
                  </span>
                </Tip>
              )}
              {row.isReference && <Badge>Reference</Badge>}
            </span>
          )}
          {others && <span className="block pl-5 text-ink-2 text-xs">{others}</span>}
          <span className="mt-0.5 flex items-center gap-2 pl-5 text-ink-3 text-xs md:hidden">
            {row.levels && `discr. ${discriminatorWord(row.levels.discriminator)} · `}
            {row.inputSize} px
            <SeedCount row={row} />
          </span>
        </Td>
        <Td className="hidden text-ink-2 md:table-cell">
          {row.levels ? capitalise(discriminatorWord(row.levels.discriminator)) : NONE}
        </Td>
        <Td align="right" className="num hidden md:table-cell">
          {row.inputSize}
        </Td>
        <Td align="right" className="hidden md:table-cell">
          <SeedCount row={row} />
        </Td>
        {/* Columns of cost need its place. */}
        <Td className={cn('hidden', !costs && 'md:table-cell')}>
          {range && hasStrip(row) && <SeedStrip row={row} range={range} isBest={isBest} />}
        </Td>
        <Td align="right" className="num whitespace-pre">
          <span className={cn(row.mean !== null && 'font-medium', isBest && 'font-semibold text-accent')}>
            {formatPercent(row.mean, decimals)}
          </span>
          {/* Of fixed width, so that the means stand in one column whether they have a spread or not. */}
          <span className="block sm:inline-block sm:w-[7.5ch] sm:text-left text-ink-3">
            {row.std !== null && ` ± ${formatPercent(row.std, decimals)}`}
          </span>
        </Td>
        {hasEpoch && (
          <Td align="right" className="num hidden text-ink-2 md:table-cell">
            {row.bestEpoch ?? NONE}
          </Td>
        )}
        <Td align="right" className="num whitespace-nowrap">
          {/* Another reference is marked before its differences have come. */}
          <DifferenceCell difference={row.isReference ? null : row.difference} decimals={decimals} hasP={!costs} />
        </Td>
        {costs && <CostCells names={costs.names} cost={costs.of(row)} />}
      </tr>
      {isOpen && (
        <tr className="border-b last:border-b-0">
          <td colSpan={columns} className="px-3 pb-3 sm:pl-12">
            <SeedList row={row} />
            {!row.isReference && (
              <Button size="sm" className="mt-2 sm:hidden" onClick={onReference}>
                Use as the reference
              </Button>
            )}
          </td>
        </tr>
      )}
    </>
  );
}

/** The row's colour where it must hide what scrolls below. */
const OPAQUE_BEST = 'bg-[color-mix(in_oklab,var(--accent-soft)_50%,var(--surface))]';

const capitalise = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
