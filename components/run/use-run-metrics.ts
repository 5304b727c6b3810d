'use client';
import type { AttemptView } from '@mealtable/protocol/views';
import { useEffect, useRef, useState } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPCClient } from '../trpc-provider';
import { MetricBuffer } from './metric-buffer';

const PAGE = 5_000;
/** Charts are drawn anew at most this often, however fast the points come. */
const REDRAW_MS = 200;

export interface RunMetrics {
  buffer: MetricBuffer;
  /** Changes with every redraw; the buffer itself is one object for ever. */
  version: number;
  error: unknown;
  retry: () => void;
}

/** All points of a run, kept up to date: room first, then pages, then live batches. */
export function useRunMetrics(runId: string, attempts: readonly AttemptView[] | undefined): RunMetrics {
  const client = useTRPCClient();
  const [buffer] = useState(() => new MetricBuffer());
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const reading = useRef(0);
  const redraw = useThrottle(() => setVersion((drawn) => drawn + 1), REDRAW_MS);

  const catchUp = async () => {
    // A later call takes over; an older one stops at its next page.
    const mine = ++reading.current;
    buffer.beginCatchUp();
    setError(null);
    try {
      do {
        const page = await client.runs.metrics.query({ id: runId, after: buffer.cursor, limit: PAGE });
        if (reading.current !== mine) return;
        buffer.addPage(page);
        redraw();
      } while (!buffer.isCaughtUp);
    } catch (failed) {
      if (reading.current === mine) setError(failed);
    }
  };

  useWatch({ kind: 'run', runId }, { onJoined: () => void catchUp(), onLost: () => buffer.beginCatchUp() });
  // Without a live connection the past is still worth showing.
  const begin = useRef(catchUp);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (reading.current === 0) void begin.current();
    }, 1_500);
    return () => clearTimeout(timer);
  }, []);
  useLiveEvent('run:records', (event) => {
    if (event.runId !== runId) return;
    buffer.addLive(event);
    redraw();
  });
  useLiveEvent('run:rewound', (event) => {
    if (event.runId !== runId) return;
    buffer.rewind(event);
    redraw();
  });
  // The same from the run's view, for rewinds that happened while nobody listened.
  useEffect(() => {
    for (const { attempt, startStep, startedAt } of attempts ?? [])
      if (attempt > 1 && startedAt !== null) buffer.rewind({ attempt, stepsCompleted: startStep });
    redraw();
  }, [attempts, buffer, redraw]);
  return { buffer, version, error, retry: () => void catchUp() };
}
