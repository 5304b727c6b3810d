'use client';
import { useState } from 'react';

/** The chosen tab, kept in `?tab=` so that a link or a reload leads to the same place. No navigation: the page stays. */
export function useQueryTab<T extends string>(tabs: readonly T[], initial: string | null): [T, (tab: T) => void] {
  const [first] = tabs;
  if (first === undefined) throw new Error('There must be at least one tab.');
  const [tab, setTab] = useState<T>(tabs.find((known) => known === initial) ?? first);
  const choose = (next: T) => {
    setTab(next);
    const url = new URL(window.location.href);
    if (next === first) url.searchParams.delete('tab');
    else url.searchParams.set('tab', next);
    window.history.replaceState(window.history.state, '', url);
  };
  return [tab, choose];
}
