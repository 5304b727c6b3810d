/** Waiting between tries: exponential with jitter, so that many agents do not return to a restarted hub at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentLimits } from './limits.ts';

export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number;
  reset(): void;
}

/** @param random in [0, 1) */
export function makeBackoff(
  limits: Pick<AgentLimits, 'retryFirstMs' | 'retryMaxMs'>,
  random: () => number = Math.random,
): Backoff {
  let base = limits.retryFirstMs;
  return {
    next() {
      const wait = base * (0.5 + random() / 2);
      base = Math.min(base * 2, limits.retryMaxMs);
      return wait;
    },
    reset() {
      base = limits.retryFirstMs;
    },
  };
}

/** Waits; an abort ends the wait early and is not an error: the caller looks at the signal. */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The promise's value, or null when the abort comes first; the promise itself goes on. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  let stop = () => {};
  const abort = new Promise<null>((resolve) => {
    stop = () => resolve(null);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
