'use client';
import type { RunRecordsEvent } from '@mealtable/protocol/live-messages';
import { useEffect, useRef, useState } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';

/** How long to wait for the live connection before the past is read without it. */
const JOIN_WAIT_MS = 1_500;

export interface StreamBuffer {
  readonly isCaughtUp: boolean;
  /** From here on live batches are kept until the stored records have been read. */
  beginCatchUp(): void;
  addLive(event: RunRecordsEvent): void;
}
export interface RunStream {
  /** Changes with every redraw; the buffer itself is one object for ever. */
  version: number;
  redraw: () => void;
  error: unknown;
  setError: (error: unknown) => void;
  retry: () => void;
}

/**
 * Keeps a buffer of a run's records up to date: room first, then what is stored, then live batches.
 * @param readPage asks for the next stored page after the buffer's cursor; what it returns puts the page into the buffer
 * @param redrawMs what shows the buffer is drawn anew at most this often, however fast the records come
 */
export function useRunStream(
  runId: string,
  buffer: StreamBuffer,
  readPage: () => Promise<() => void>,
  redrawMs: number,
): RunStream {
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const reading = useRef(0);
  const redraw = useThrottle(() => setVersion((drawn) => drawn + 1), redrawMs);

  const catchUp = async () => {
    // A later call takes over; an older one stops at its next page.
    const mine = ++reading.current;
    buffer.beginCatchUp();
    setError(null);
    try {
      do {
        const addPage = await readPage();
        if (reading.current !== mine) return;
        addPage();
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
    }, JOIN_WAIT_MS);
    return () => clearTimeout(timer);
  }, []);
  useLiveEvent('run:records', (event) => {
    if (event.runId !== runId) return;
    buffer.addLive(event);
    redraw();
  });
  return { version, redraw, error, setError, retry: () => void catchUp() };
}
