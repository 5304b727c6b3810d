'use client';
import { useLayoutEffect, useRef } from 'react';

/** A function that stays the same and does what the newest one does: rows that it is handed to are not drawn again. */
export function useStable<A extends unknown[]>(action: (...args: A) => void): (...args: A) => void {
  const latest = useRef(action);
  useLayoutEffect(() => {
    latest.current = action;
  });
  return useRef((...args: A) => latest.current(...args)).current;
}

/** The list of before while it has the same entries. */
export function useSameList<T>(list: readonly T[]): readonly T[] {
  const kept = useRef(list);
  const isSame = kept.current.length === list.length && kept.current.every((entry, i) => entry === list[i]);
  if (!isSame) kept.current = list;
  return kept.current;
}
