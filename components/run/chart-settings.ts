'use client';
/** How charts are shown: a taste of the reader, so kept in the browser and the same for every run. */
import { useSyncExternalStore } from 'react';
import { X_AXES, type XAxis } from '../chart/axes';

export interface ChartSettings {
  axis: XAxis;
  isLog: boolean;
  /** 0 to 0.99 */
  smoothing: number;
}
const DEFAULTS: ChartSettings = { axis: 'step', isLog: false, smoothing: 0 };
const KEY = 'mealtable.charts';

let current: ChartSettings | null = null;
const listeners = new Set<() => void>();

function read(): ChartSettings {
  if (current) return current;
  current = DEFAULTS;
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<ChartSettings>;
    current = {
      axis: X_AXES.find((axis) => axis === stored.axis) ?? DEFAULTS.axis,
      isLog: stored.isLog === true,
      smoothing: typeof stored.smoothing === 'number' ? Math.min(0.99, Math.max(0, stored.smoothing)) : 0,
    };
  } catch (error) {
    // A browser that keeps nothing, or somebody else's text under our key: the defaults serve.
    console.warn('Chart settings could not be read.', error);
  }
  return current;
}

function change(part: Partial<ChartSettings>): void {
  current = { ...read(), ...part };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch (error) {
    console.warn('Chart settings last only until the page is left.', error);
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useChartSettings(): [ChartSettings, (part: Partial<ChartSettings>) => void] {
  return [useSyncExternalStore(subscribe, read, () => DEFAULTS), change];
}
