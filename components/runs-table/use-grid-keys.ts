'use client';
import type { TableRow, TableRun } from '@mealtable/protocol/run-query-view';
import { useRouter } from 'next/navigation';
import type { KeyboardEvent, RefObject } from 'react';
import { useIsShared } from '../share/shared-context';
import { HEAD_HEIGHT, ROW_HEIGHT } from './column-looks';
import type { RunSelection } from './use-run-selection';

interface GridKeys {
  active: number | null;
  setActive: (row: number | null) => void;
  rowCount: number;
  rowAt: (index: number) => TableRow | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  selection: RunSelection | null;
  select: (run: TableRun, isSelected: boolean, isRange: boolean) => void;
  toggleGroup: (key: string) => void;
}

/** Pixels that a key scrolls to the side. */
const SIDE_STEP = 120;

/** The keys of a tree of rows: one of them is active, and what is done is done to it. */
export function useGridKeys(grid: GridKeys): (event: KeyboardEvent) => void {
  const router = useRouter();
  const isShared = useIsShared();
  const { active, setActive, rowCount, rowAt, scroller, selection, select, toggleGroup } = grid;
  const go = (to: number) => {
    const index = Math.min(rowCount - 1, Math.max(0, to));
    setActive(index);
    const element = scroller.current;
    if (!element) return;
    const top = index * ROW_HEIGHT;
    const height = element.clientHeight - HEAD_HEIGHT;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_HEIGHT > element.scrollTop + height) element.scrollTop = top + ROW_HEIGHT - height;
  };
  return (event) => {
    // Keys of a button within are the button's. A cell has the focus after a click and has no keys of its own.
    const isControl = event.target instanceof Element && event.target.closest('button, a, input, [role=columnheader]');
    if (isControl || rowCount === 0 || event.altKey) return;
    const here = active ?? -1;
    const page = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - HEAD_HEIGHT) / ROW_HEIGHT) - 1);
    const row = active === null ? undefined : rowAt(active);
    const moves: Record<string, number> = {
      ArrowDown: here + 1,
      ArrowUp: Math.max(0, here - 1),
      PageDown: here + page,
      PageUp: here - page,
      Home: 0,
      End: rowCount - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) go(to);
    else if (event.key === ' ' && row?.kind === 'run' && selection)
      select(row.run, !selection.runs.has(row.run.id), event.shiftKey);
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey) && selection) selection.selectAll();
    else if (event.key === 'Escape' && selection && selection.runs.size > 0) selection.clear();
    else if (event.key === 'Enter' && row) {
      if (row.kind === 'group') toggleGroup(row.key);
      else if (!isShared) router.push(`/runs/${row.run.id}`);
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const isRight = event.key === 'ArrowRight';
      if (row?.kind === 'group' && row.isOpen !== isRight) toggleGroup(row.key);
      else scroller.current?.scrollBy({ left: isRight ? SIDE_STEP : -SIDE_STEP });
    } else return;
    event.preventDefault();
  };
}
