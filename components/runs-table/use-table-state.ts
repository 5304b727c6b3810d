'use client';
import {
  RUNS_PARAMETERS,
  type RunsTableState,
  readRunsState,
  writeRunsState,
} from '@mealtable/protocol/run-query-address';
import { useEffect, useState } from 'react';

const readAddress = (): RunsTableState => readRunsState(new URLSearchParams(window.location.search));

/** Leaves alone what other parts of the page keep in the address. No navigation: the page stays. */
function writeAddress(state: RunsTableState): void {
  const url = new URL(window.location.href);
  for (const name of RUNS_PARAMETERS) url.searchParams.delete(name);
  for (const [name, value] of writeRunsState(state)) url.searchParams.append(name, value);
  if (url.href !== window.location.href) window.history.replaceState(window.history.state, '', url);
}

export type ChangeTable = (change: Partial<RunsTableState>) => void;

/** The state of the table, which is that of the page's address. Mount it in a browser only. */
export function useTableState(): [RunsTableState, ChangeTable] {
  const [state, setState] = useState(readAddress);
  useEffect(() => writeAddress(state), [state]);
  useEffect(() => {
    const follow = () => setState(readAddress());
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  const change: ChangeTable = (part) => setState((old) => ({ ...old, ...part }));
  return [state, change];
}
