'use client';
import type { AttemptView } from '@mealtable/protocol/views';
import { useEffect, useState } from 'react';
import { useLiveEvent } from '../live-socket';
import { useTRPCClient } from '../trpc-provider';
import { MetricBuffer } from './metric-buffer';
import { useRunStream } from './use-run-stream';

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
  const readPage = async () => {
    const page = await client.runs.metrics.query({ id: runId, after: buffer.cursor, limit: PAGE });
    return () => buffer.addPage(page);
  };
  const { version, redraw, error, retry } = useRunStream(runId, buffer, readPage, REDRAW_MS);
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
  return { buffer, version, error, retry };
}
