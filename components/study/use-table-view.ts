'use client';
import { useSearchParams } from 'next/navigation';
import { useCallback, useMemo } from 'react';
import { parseTableView, type TableView, writeTableView } from './table-view';

/** The tables' view out of the address, and a way to change parts of it. No navigation: the page stays. */
export function useTableView(): [TableView, (changes: Partial<TableView>) => void] {
  const search = useSearchParams().toString();
  const view = useMemo(() => parseTableView(new URLSearchParams(search)), [search]);
  const change = useCallback((changes: Partial<TableView>) => {
    // From the address itself: two changes may come before the page is drawn again.
    const url = new URL(window.location.href);
    url.search = writeTableView(url.searchParams, { ...parseTableView(url.searchParams), ...changes }).toString();
    window.history.replaceState(null, '', url);
  }, []);
  return [view, change];
}

/** The page's address with every choice said. */
export function linkToTable(view: TableView): string {
  const url = new URL(window.location.href);
  url.search = writeTableView(url.searchParams, view, true).toString();
  return url.href;
}
