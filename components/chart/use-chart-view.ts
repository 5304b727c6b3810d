'use client';
import { useCallback, useRef, useState } from 'react';
import { type ChartView, readView, writeView } from './view-state';

export type ChangeView = (part: Partial<ChartView>) => void;

/** The view, kept in the page's address so that a link or a reload leads to the same picture. No navigation: the page stays. */
export function useChartView(usual: ChartView): [ChartView, ChangeView, (view: ChartView) => void] {
  const [view, setView] = useState(() => readView(new URLSearchParams(window.location.search), usual));
  const latest = useRef(view);
  const replace = useCallback(
    (next: ChartView) => {
      latest.current = next;
      setView(next);
      const url = new URL(window.location.href);
      writeView(url.searchParams, next, usual);
      window.history.replaceState(window.history.state, '', url);
    },
    [usual],
  );
  const change = useCallback((part: Partial<ChartView>) => replace({ ...latest.current, ...part }), [replace]);
  return [view, change, replace];
}
