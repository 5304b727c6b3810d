'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { useThrottle } from '../live-socket';
import { MetricBuffer } from '../run/metric-buffer';
import { useTRPCClient } from '../trpc-provider';

const PAGE = 5_000;
const AT_ONCE = 4;
/** A run's new points are asked for at most this often. */
const EVERY_MS = 2_000;
/** The chart is drawn anew at most this often while many runs are read. */
const REDRAW_MS = 400;
/** More lines than this are no picture. */
export const MAX_CURVES = 120;

interface Held {
  buffer: MetricBuffer;
  attempt: number;
  /** The state of the run that the buffer has caught up with. */
  seen: string;
  readAt: number;
  isReading: boolean;
}

/** Changes when validation points may have been added: another attempt, status or value, or an epoch passed. */
const stateOf = (run: RunSummaryView): string => {
  const epoch = run.totalSteps ? Math.floor((run.stepsCompleted / run.totalSteps) * run.epochs) : 0;
  return `${run.attempt} ${run.status} ${run.lastTop1} ${epoch}`;
};

export interface StudyCurves {
  bufferOf: (runId: string) => MetricBuffer | undefined;
  /** Changes whenever a buffer did. */
  version: number;
  isLoading: boolean;
  error: unknown;
  retry: () => void;
}

/**
 * Validation points of many runs. The study's room tells which runs moved; only what is new of them is read, a few
 * runs at a time, so that a page over fifty runs does not watch fifty rooms.
 */
export function useStudyCurves(runs: readonly RunSummaryView[]): StudyCurves {
  const client = useTRPCClient();
  const held = useRef(new Map<string, Held>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const [version, setVersion] = useState(0);
  const [pending, setPending] = useState(runs.length > 0 ? 1 : 0);
  const [error, setError] = useState<unknown>(null);
  const redraw = useThrottle(() => setVersion((drawn) => drawn + 1), REDRAW_MS);

  const read = async (run: RunSummaryView, entry: Held) => {
    const { buffer } = entry;
    entry.isReading = true;
    entry.seen = stateOf(run);
    entry.readAt = Date.now();
    const before = buffer.version;
    try {
      buffer.beginCatchUp();
      do {
        buffer.addPage(await client.runs.metrics.query({ id: run.id, after: buffer.cursor, limit: PAGE }));
      } while (!buffer.isCaughtUp);
      setError(null);
    } catch (failed) {
      entry.seen = '';
      setError(failed);
    } finally {
      entry.isReading = false;
      if (buffer.version !== before) redraw();
    }
  };

  const pump = useEffectEvent(() => {
    const due: (() => Promise<void>)[] = [];
    let soonest = Number.POSITIVE_INFINITY;
    let reading = 0;
    for (const run of runs) {
      let entry = held.current.get(run.id);
      // Another attempt may have gone back behind points that were read: all of the run is read anew.
      if (!entry || entry.attempt !== run.attempt) {
        entry = { buffer: new MetricBuffer(isValidation), attempt: run.attempt, seen: '', readAt: 0, isReading: false };
        held.current.set(run.id, entry);
      }
      const mine = entry;
      if (mine.isReading) reading++;
      else if (mine.seen !== stateOf(run)) {
        const wait = mine.readAt + EVERY_MS - Date.now();
        if (wait <= 0) due.push(() => read(run, mine));
        else soonest = Math.min(soonest, wait);
      }
    }
    setPending(due.length + reading);
    for (const start of due.slice(0, Math.max(0, AT_ONCE - reading))) void start().then(() => pump());
    if (timer.current) clearTimeout(timer.current);
    timer.current = Number.isFinite(soonest) ? setTimeout(() => pump(), soonest) : null;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of a run may mean new points
  useEffect(() => {
    pump();
  }, [runs]);
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
    },
    [],
  );
  return {
    bufferOf: (runId) => held.current.get(runId)?.buffer,
    version,
    isLoading: pending > 0 && version === 0,
    error,
    retry: () => pump(),
  };
}

const isValidation = (metric: string): boolean => metric.startsWith('val/');
