'use client';
import { useState } from 'react';
import { useTRPCClient } from '../trpc-provider';
import { LogBuffer } from './log-buffer';
import { useRunStream } from './use-run-stream';

const PAGE = 1_000;
const REDRAW_MS = 150;

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
  const [hasAnswer, setHasAnswer] = useState(false);
  const [isLoadingOlder, setLoadingOlder] = useState(false);
  const readPage = async () => {
    const { cursor } = buffer;
    const page = await client.runs.logs.query({ id: runId, limit: PAGE, ...(cursor && { after: cursor }) });
    return () => {
      if (cursor) buffer.addNewer(page, page.lines.length < PAGE);
      else buffer.addTail(page);
      setHasAnswer(true);
    };
  };
  const { redraw, error, setError, retry } = useRunStream(runId, buffer, readPage, REDRAW_MS);

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
  return { buffer, isLoading: !hasAnswer && !error, isLoadingOlder, error, retry, loadOlder };
}
