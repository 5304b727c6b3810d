'use client';
import type { Top1Row as Row } from '@mealtable/protocol/views';
import { ChevronRight, Trophy } from 'lucide-react';
import { formatDifference, formatPercent, NONE } from '../format';
import { Badge } from '../ui/badge';
import { cn } from '../ui/cn';
import { Td } from '../ui/table';
import { SeedCount } from './seed-count';
import { SeedList } from './seed-list';
import { SeedStrip } from './seed-strip';
import { teacherNames } from './teacher-names';

interface Top1RowProps {
  row: Row;
  range: { min: number; max: number } | null;
  isBest: boolean;
  isOpen: boolean;
  onToggle: () => void;
  /** Absent for those who may not change it. */
  onReference: (() => void) | undefined;
  columns: number;
}

export function Top1Row({ row, range, isBest, isOpen, onToggle, onReference, columns }: Top1RowProps) {
  const name = teacherNames(row) ?? row.label;
  return (
    <>
      <tr
        data-variant={row.variantId}
        className={cn('border-b last:border-b-0 hover:bg-hover', isBest && 'bg-accent-soft/50', isOpen && 'border-b-0')}
      >
        <Td className="pr-0">
          <input
            type="radio"
            name="reference"
            aria-label={`Use ${row.label} as the reference`}
            checked={row.isReference}
            disabled={!onReference}
            onChange={onReference}
            className="block size-4 accent-accent"
          />
        </Td>
        <Td className="min-w-48 pl-1.5">
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={onToggle}
            className="inline-flex max-w-full items-start gap-1 rounded-control text-left"
            title={row.label}
          >
            <ChevronRight
              aria-hidden
              className={cn('mt-0.5 size-4 shrink-0 text-ink-3 transition-transform', isOpen && 'rotate-90')}
            />
            <span className={cn('break-words', isBest && 'font-semibold')}>{name}</span>
            <span className="sr-only">, seeds</span>
          </button>
          {(isBest || row.isReference) && (
            <span className="ml-2 inline-flex gap-1 align-middle">
              {isBest && (
                <Badge tone="accent">
                  <Trophy aria-hidden />
                  Best
                </Badge>
              )}
              {row.isReference && <Badge>Reference</Badge>}
            </span>
          )}
        </Td>
        <Td className="text-ink-2">{row.levels ? (row.levels.discriminator ? 'On' : 'Off') : NONE}</Td>
        <Td align="right" className="num">
          {row.inputSize}
        </Td>
        <Td align="right">
          <SeedCount row={row} />
        </Td>
        <Td>{range && <SeedStrip row={row} range={range} isBest={isBest} />}</Td>
        <Td align="right" className="num whitespace-nowrap">
          <span className={cn(row.mean !== null && 'font-medium', isBest && 'font-semibold text-accent')}>
            {formatPercent(row.mean)}
          </span>
          {row.mean !== null && (
            <span className="text-ink-3">
              {' '}
              ± {row.std === null ? NONE.padStart(4, '\u2007') : formatPercent(row.std)}
            </span>
          )}
        </Td>
        <Td align="right" className="num text-ink-2">
          {row.bestEpoch ?? NONE}
        </Td>
        <Td align="right" className="num whitespace-nowrap">
          {row.isReference ? (
            <span className="text-ink-3">{NONE}</span>
          ) : (
            <span title={row.difference === null ? 'No seed in common' : `Over ${row.pairedSeeds} common seeds`}>
              {formatDifference(row.difference)}
            </span>
          )}
        </Td>
      </tr>
      {isOpen && (
        <tr className="border-b last:border-b-0">
          <td colSpan={columns} className="px-3 pb-3 pl-12">
            <SeedList row={row} />
          </td>
        </tr>
      )}
    </>
  );
}
