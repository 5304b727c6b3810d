/**
 * The hub is killed in the middle of training and stays away: does any step take longer, and how soon is all of it on the hub
 * that comes back? A real agent, a training loop of 50 ms steps, the product's own times.
 * Run: `npm run test:hub-gone [-- --minutes 10]`. The last line of the output is JSON; the exit code says whether the bar is met.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decodeChunk } from '../../server/metrics/codec/chunk.ts';
import { STORED_PARTS } from '../support/stored-points.ts';
import { quantile, type Step, type Stepping, startStepping } from './steps.ts';

const STEP_MS = 50;
const METRICS = 10;
/** A step may be delayed by this share. */
const BAR = 0.01;
const CATCH_UP_BAR_S = 10;
/** Records this young are what is just under way. */
const FRESH_MS = 1_500;

const { values } = parseArgs({ options: { minutes: { type: 'string' } } });
const minutes = Number(values.minutes ?? 10);
const thereMs = Math.max(0.5, minutes / 4) * 60_000;
const say = (line: string) =>
  console.log(`[${new Date().toISOString().slice(11, 19)}, load ${loadavg()[0]!.toFixed(1)}] ${line}`);

/** Seconds until the hub has all but the newest records. */
async function catchUp({ hub }: Stepping): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const [row] = await hub.query<{ data: Buffer }>('SELECT data FROM metric_chunks ORDER BY last_seq DESC LIMIT 1');
    const newest = row ? Math.max(...decodeChunk(row.data).map(({ rows }) => rows.at.at(-1)!)) : 0;
    if (Date.now() - newest < FRESH_MS) return (performance.now() - begun) / 1000;
    await sleep(50);
  }
}

function describe(steps: readonly Step[]) {
  const of = (column: 'stepMs' | 'reportMs' | 'cpuMs') => {
    const all = steps.map((step) => step[column]);
    return Object.fromEntries(
      (
        [
          ['median', 0.5],
          ['p99', 0.99],
          ['worst', 1],
        ] as const
      ).map(([name, q]) => [name, Number(quantile(all, q).toFixed(4))]),
    );
  };
  const limit = BAR * STEP_MS;
  const late = steps.filter((step) => step.reportMs > limit);
  const blocked = late.filter((step) => step.preempted === 0 && step.reportMs - step.cpuMs > limit).length;
  return {
    steps: steps.length,
    stepMs: of('stepMs'),
    reportMs: of('reportMs'),
    reportCpuMs: of('cpuMs'),
    /** Reports that took longer than the bar, for whatever reason: most of the time another program has the processor. */
    late: late.length,
    /** Those that waited although nobody took the processor away: for a file, or for the agent. */
    blocked,
    blockedShare: blocked / steps.length,
  };
}

const stepping = await startStepping({ stepMs: STEP_MS, metrics: METRICS, everyOther: false });
try {
  await sleep(5_000);
  const begunAt = Date.now();
  say(`The loop steps; the hub stays for ${thereMs / 60_000} minutes.`);
  await sleep(thereMs);
  await stepping.hub.end('SIGKILL');
  const goneAt = Date.now();
  say(`The hub is killed, for ${minutes} minutes.`);
  await sleep(minutes * 60_000);
  const backAt = Date.now();
  await stepping.hub.start();
  const upAt = Date.now();
  const catchUpS = await catchUp(stepping);
  say(`The hub is back, up after ${(upAt - backAt) / 1000} s; it had everything ${catchUpS.toFixed(1)} s later.`);
  const calmAt = Date.now() + 2_000;
  await sleep(thereMs);
  const steps = await stepping.finish();
  const [stored] = await stepping.hub.query<{ points: number; last: number }>(
    `SELECT sum(records)::int AS points, max(last_step) AS last FROM ${STORED_PARTS}`,
  );
  const isThere = ({ at }: Step) => (at >= begunAt && at < goneAt) || at >= calmAt;
  const there = describe(steps.filter(isThere));
  const gone = describe(steps.filter(({ at }) => at >= goneAt && at < backAt));
  console.log('with the hub   ', JSON.stringify(there));
  console.log('without the hub', JSON.stringify(gone));
  const slower = gone.stepMs.median! / there.stepMs.median! - 1;
  const isWhole = stored!.points === steps.length && stored!.last === steps.length;
  const ok = gone.blockedShare <= there.blockedShare && slower <= BAR && catchUpS <= CATCH_UP_BAR_S && isWhole;
  console.log(
    JSON.stringify({ ok, minutes, there, gone, slower, catchUpS, stored, written: steps.length, load: loadavg() }),
  );
  process.exitCode = ok ? 0 : 1;
} finally {
  await stepping.close();
}
