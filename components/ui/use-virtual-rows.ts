'use client';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useState } from 'react';

/** Below this all rows are simply there: find-in-page and screen readers get the whole table. */
const VIRTUAL_FROM = 80;

export interface VirtualRows {
  indices: number[];
  /** Heights of the spacer rows that stand for what is not drawn. */
  before: number;
  after: number;
}

/** Rows of a long table that scroll with the page; only those in sight are drawn. */
export function useVirtualRows(count: number, rowHeight: number, table: RefObject<HTMLElement | null>): VirtualRows {
  const [top, setTop] = useState(0);
  // The table's place on the page depends on what stands over it, so it is measured when the number of rows changes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useLayoutEffect(() => {
    if (table.current) setTop(table.current.getBoundingClientRect().top + window.scrollY);
  }, [table, count]);
  const rows = useWindowVirtualizer({
    count,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: top,
    enabled: count >= VIRTUAL_FROM,
  });
  if (count < VIRTUAL_FROM) return { indices: Array.from({ length: count }, (_, i) => i), before: 0, after: 0 };
  const items = rows.getVirtualItems();
  return {
    indices: items.map((item) => item.index),
    before: Math.max(0, (items[0]?.start ?? top) - top),
    after: Math.max(0, rows.getTotalSize() - ((items.at(-1)?.end ?? top) - top)),
  };
}
