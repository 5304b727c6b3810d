/**
 * What reporting costs a training loop: 50 ms steps with 50 metrics each, under a real agent that brings them to a real hub. Every
 * other step reports nothing, and each is compared with its neighbour, so that what else the machine does counts on both sides.
 * Run: `npm run bench:reporting [-- --steps N]`. The last line of the output is JSON.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile, startStepping } from '../test/chaos/steps.ts';
import { STORED_PARTS } from '../test/support/stored-points.ts';

const STEP_MS = 50;
const METRICS = 50;
const BAR = 0.01;

const { values } = parseArgs({ options: { steps: { type: 'string' } } });
const wanted = Number(values.steps ?? 1_200);
const stepping = await startStepping({ stepMs: STEP_MS, metrics: METRICS, everyOther: true });
try {
  const begun = performance.now();
  const cpuBefore = stepping.agentCpuSeconds();
  const stored = async () =>
    (await stepping.hub.query<{ last: number }>(`SELECT max(last_step) AS last FROM ${STORED_PARTS}`))[0]?.last ?? 0;
  const first = await stored();
  while ((await stored()) < first + wanted) await sleep(1_000);
  const agentShare = ((stepping.agentCpuSeconds() - cpuBefore) * 1000) / (performance.now() - begun);
  // The first seconds are the compiler's.
  const steps = (await stepping.finish()).slice(first);
  const odd = steps.filter((step) => step.reports === 1);
  const even = steps.filter((step) => step.reports === 0);
  const pairs = odd.flatMap((step, i) => (even[i] ? [step.stepMs - even[i].stepMs] : []));
  const spread = (all: readonly number[]) =>
    Object.fromEntries([0.25, 0.5, 0.75].map((q) => [`q${q * 100}`, Number(quantile(all, q).toFixed(4))]));
  const [withMs, withoutMs] = [odd, even].map((some) => spread(some.map((step) => step.stepMs)));
  const reportMs = spread(odd.map((step) => step.reportMs));
  const share = reportMs.q50! / STEP_MS;
  const pairedMs = spread(pairs);
  // On a busy machine neighbours differ by more than what is looked for: then the report's own time must do.
  const isNoisy = pairedMs.q75! - pairedMs.q25! > 10 * BAR * STEP_MS;
  console.log(`Step with ${METRICS} metrics reported: median ${withMs!.q50} ms; without: ${withoutMs!.q50} ms.`);
  console.log(`The report itself: median ${reportMs.q50} ms, ${(share * 100).toFixed(3)} % of ${STEP_MS} ms.`);
  console.log(
    JSON.stringify({
      ok: share < BAR && (isNoisy || pairedMs.q50! < BAR * STEP_MS),
      ...{ steps: steps.length, metrics: METRICS, withMs, withoutMs, reportMs, share, pairedMs, isNoisy },
      ...{ reportCpuMs: spread(odd.map((step) => step.cpuMs)), agentShare, load: loadavg() },
    }),
  );
} finally {
  await stepping.close();
}
