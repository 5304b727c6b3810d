'use client';
import { attemptBeginning, type LogFilter, type LogHit } from '@mealtable/protocol/run-log';
import { useState } from 'react';
import { useLiveEvent } from '../live-socket';
import { useTRPCClient } from '../trpc-provider';
import { keyOf, LogBuffer } from './log-buffer';
import { useRunStream } from './use-run-stream';

const PAGE = 1_000;
const REDRAW_MS = 150;

export interface RunLog {
  buffer: LogBuffer;
  /** The first answer has not come yet. */
  isLoading: boolean;
  /** A page is on its way. */
  isBusy: boolean;
  error: unknown;
  retry: () => void;
  loadOlder: () => Promise<void>;
  loadNewer: () => Promise<void>;
  /** Back to the end, which is then kept up to date. */
  showEnd: () => void;
  showAttempt: (attempt: number) => Promise<void>;
  /** Makes the line be there. */
  showLine: (hit: LogHit) => Promise<void>;
}

/** A piece of a run's log: its end, kept up to date, or what the reader went to. Another filter needs another of these. */
export function useRunLog(runId: string, filter: LogFilter): RunLog {
  const client = useTRPCClient();
  const [buffer] = useState(() => new LogBuffer(filter));
  const [hasAnswer, setHasAnswer] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const readPage = async () => {
    if (buffer.hasNewer) return () => {};
    const { end } = buffer;
    const page = await client.runLog.page.query({ id: runId, filter, limit: PAGE, ...(end && { after: end }) });
    return () => {
      if (end) buffer.addNewer(page);
      else buffer.addTail(page);
      setHasAnswer(true);
    };
  };
  const { redraw, error, setError, retry } = useRunStream(runId, buffer, readPage, REDRAW_MS);
  useLiveEvent('run:output', (event) => {
    if (event.runId !== runId) return;
    buffer.addLive(event);
    redraw();
  });

  /** One page at a time: what two at once bring could not be put together. */
  const load = async (change: () => Promise<void>) => {
    if (isBusy) return;
    setBusy(true);
    try {
      await change();
      redraw();
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const loadOlder = () =>
    load(async () => {
      const before = buffer.beginning;
      if (before) buffer.addOlder(await client.runLog.page.query({ id: runId, filter, before, limit: PAGE }));
    });
  const loadNewer = () =>
    load(async () => {
      const after = buffer.end;
      if (after) buffer.addNewer(await client.runLog.page.query({ id: runId, filter, after, limit: PAGE }));
    });
  const showAttempt = (attempt: number) =>
    load(async () => {
      const after = attemptBeginning(attempt);
      const page = await client.runLog.page.query({ id: runId, filter, after, limit: PAGE });
      buffer.show(null, page, attempt > 1);
    });
  const showLine = async (hit: LogHit) => {
    if (buffer.lines.some((line) => keyOf(line) === keyOf(hit))) return;
    await load(async () => {
      const { older, newer } = await client.runLog.around.query({ id: runId, filter, hit, limit: PAGE / 2 });
      buffer.show(older, newer, older.hasMore);
    });
  };
  const showEnd = () => {
    if (!buffer.hasNewer) return;
    buffer.clear();
    retry();
  };
  return {
    buffer,
    isLoading: !hasAnswer && !error,
    isBusy,
    error,
    retry,
    loadOlder,
    loadNewer,
    showEnd,
    showAttempt,
    showLine,
  };
}
