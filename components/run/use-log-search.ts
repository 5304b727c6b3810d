'use client';
import type { LogFilter, LogHit, LogPlace } from '@mealtable/protocol/run-log';
import { readPattern } from '@mealtable/protocol/search-pattern';
import { useEffect, useState } from 'react';
import { useTRPCClient } from '../trpc-provider';

/** More are not gone through one by one. */
export const MAX_HITS = 10_000;
const TYPING_MS = 250;

export interface LogSearch {
  /** In reading order. */
  hits: readonly LogHit[];
  scanned: number;
  isSearching: boolean;
  error: unknown;
  /** Why the pattern cannot be searched for, and the index of the character at fault. */
  fault: { message: string; position: number } | null;
}
const NOTHING: LogSearch = { hits: [], scanned: 0, isSearching: false, error: null, fault: null };

const inOrder = (a: LogHit, b: LogHit) => a.attempt - b.attempt || a.at - b.at || a.seq - b.seq;

/** Searches the whole log, not only what is loaded, piece by piece from the end. */
export function useLogSearch(runId: string, filter: LogFilter, text: string, isRegex: boolean): LogSearch {
  const client = useTRPCClient();
  const [found, setFound] = useState<LogSearch>(NOTHING);
  useEffect(() => {
    if (text === '') {
      setFound(NOTHING);
      return;
    }
    const pattern = isRegex ? readPattern(text) : null;
    if (pattern?.ok === false) {
      setFound({ ...NOTHING, fault: pattern });
      return;
    }
    const over = new AbortController();
    const search = async () => {
      let state: LogSearch = { ...NOTHING, isSearching: true };
      setFound(state);
      try {
        for (let before: LogPlace | undefined; ; ) {
          const request = { id: runId, filter, text, isRegex, ...(before && { before }) };
          const page = await client.runLog.search.query(request, { signal: over.signal });
          const hits = [...state.hits, ...page.hits].sort(inOrder);
          const isOver = page.next === null || hits.length >= MAX_HITS;
          state = {
            ...state,
            hits: hits.slice(-MAX_HITS),
            scanned: state.scanned + page.scanned,
            isSearching: !isOver,
          };
          if (over.signal.aborted) return;
          setFound(state);
          if (isOver || page.next === null) return;
          before = page.next;
        }
      } catch (error) {
        if (!over.signal.aborted) setFound({ ...state, isSearching: false, error });
      }
    };
    const timer = setTimeout(() => void search(), TYPING_MS);
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }, [client, runId, filter, text, isRegex]);
  return found;
}
