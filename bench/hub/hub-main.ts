/**
 * The hub's program without its pages, as the benchmark starts it: it says where it is, and answers each message of its parent with
 * what its process has taken since the last one.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseHubEnv } from '../../server/env.ts';
import { startHub } from '../../server/start-hub.ts';

export interface HubAddress {
  port: number;
  ownerLink: string;
  databaseUrl: string;
}
export interface HubUsage {
  /** How late its event loop was, in milliseconds: the time beyond what a timer asked for. */
  loopDelayMs: { p50: number; p99: number; max: number };
  heapBytes: number;
  rssBytes: number;
}

const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const toDelayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

const { hub, port, ownerLink, close } = await startHub({
  env: parseHubEnv(process.env),
  pages: 'none',
  log: console.log,
});
process.on('SIGTERM', () => void close().then(() => process.exit(0)));
process.on('message', () => {
  const loopDelayMs = {
    p50: toDelayMs(delay.percentile(50)),
    p99: toDelayMs(delay.percentile(99)),
    max: toDelayMs(delay.max),
  };
  delay.reset();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ loopDelayMs, heapBytes: heapUsed, rssBytes: rss } satisfies HubUsage);
});
process.send?.({ port, ownerLink, databaseUrl: hub.pool.options.connectionString! } satisfies HubAddress);
