'use client';
import { useEffect, useRef, useState } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPCClient } from '../trpc-provider';
import { LogBuffer } from './log-buffer';

const PAGE = 1_000;

export interface RunLog {
  buffer: LogBuffer;
  /** The first answer has not come yet. */
  isLoading: boolean;
  isLoadingOlder: boolean;
  error: unknown;
  retry: () => void;
  loadOlder: () => Promise<void>;
}

/** The tail of a run's log, kept up to date, with older lines on request. */
export function useRunLog(runId: string): RunLog {
  const client = useTRPCClient();
  const [buffer] = useState(() => new LogBuffer());
  const [, setVersion] = useState(0);
  const [hasAnswer, setHasAnswer] = useState(false);
  const [isLoadingOlder, setLoadingOlder] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const reading = useRef(0);
  const redraw = useThrottle(() => setVersion((drawn) => drawn + 1), 150);

  const catchUp = async () => {
    const mine = ++reading.current;
    buffer.beginCatchUp();
    setError(null);
    try {
      do {
        const { cursor } = buffer;
        const page = await client.runs.logs.query({ id: runId, limit: PAGE, ...(cursor && { after: cursor }) });
        if (reading.current !== mine) return;
        if (cursor) buffer.addNewer(page, page.lines.length < PAGE);
        else buffer.addTail(page);
        setHasAnswer(true);
        redraw();
      } while (!buffer.isCaughtUp);
    } catch (failed) {
      if (reading.current === mine) setError(failed);
    }
  };
  useWatch({ kind: 'run', runId }, { onJoined: () => void catchUp(), onLost: () => buffer.beginCatchUp() });
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

  const loadOlder = async () => {
    const { oldest } = buffer;
    if (!oldest || isLoadingOlder) return;
    setLoadingOlder(true);
    try {
      buffer.addOlder(await client.runs.logs.query({ id: runId, before: oldest, limit: PAGE }));
      redraw();
    } catch (failed) {
      setError(failed);
    } finally {
      setLoadingOlder(false);
    }
  };
  return { buffer, isLoading: !hasAnswer && !error, isLoadingOlder, error, retry: () => void catchUp(), loadOlder };
}
