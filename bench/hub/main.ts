/**
 * How many agents one hub bears: simulated hosts with two running runs each, on real connections to a real hub with its own Postgres,
 * all on loopback. A run writes 20 points a second, a point being one metric's value at one step: 4 records a second with 5 metrics
 * each, brought in batches as the agent's spool does. Beside that the hosts send heartbeats and telemetry at their usual
 * intervals, and a few open pages watch and ask. At the end the database is asked whether it has every point once.
 * Run: `npm run bench:hub [-- --agents N --seconds S]` (`--metrics N` of a record, `--pages N`). The last line of the output is JSON;
 * the exit code says whether the bar is met: every batch acknowledged, 99 of 100 within a second, every point stored once.
 */
import { cpus, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { idMaker } from '../../server/context.ts';
import { followLink } from '../../test/support/follow-link.ts';
import { connectApi, memoryOf } from '../../test/support/hub-process.ts';
import { SimulatedAgent } from './agent.ts';
import { cpuSecondsOf } from './cpu.ts';
import { startMeasuredHub } from './hub-process.ts';
import { checkStored } from './stored.ts';
import { createStudies } from './studies.ts';
import { openPages } from './watchers.ts';

const BAR_MS = 1_000;
const SLOTS = 2;
const POINTS_PER_S = 20;
/** Between the first messages of two agents: 200 of them begin within ten seconds. */
const RAMP_MS = 50;
/** Left out of what is measured, after the last agent has begun: compiled code, first series, first pages. */
const WARM_UP_MS = 5_000;
/** Last lines of the hub's output, shown where something went wrong. */
const SHOWN_LINES = 20;

const { values: flags } = parseArgs({
  options: {
    agents: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    metrics: { type: 'string', default: '5' },
    pages: { type: 'string', default: '5' },
  },
});
const [agentCount, seconds, metricsPerRecord, pageCount] = [
  flags.agents,
  flags.seconds,
  flags.metrics,
  flags.pages,
].map(Number) as [number, number, number, number];
const pace = { metricsPerRecord, recordsPerS: POINTS_PER_S / metricsPerRecord };

const round = (value: number, digits = 1) => Number(value.toFixed(digits));
function spread(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => round(sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
const say = (line: string) => console.log(`[load ${loadavg()[0]!.toFixed(1)}] ${line}`);

const timings = { acks: [] as number[], ages: [] as number[], heartbeats: [] as number[] };
let onFault: (error: Error) => void = () => {};
const fault = new Promise<never>((_, reject) => {
  onFault = reject;
});
fault.catch(() => {}); // heard where the benchmark waits

const hub = await startMeasuredHub();
const agents: SimulatedAgent[] = [];
const closers: (() => void)[] = [];

async function bringUp() {
  const cookie = (await followLink(hub.ownerLink))!;
  const api = connectApi(hub.url, { cookie, origin: hub.url });
  const { token } = await api.tokens.create.mutate({ kind: 'agent', label: 'bench' });
  const makeId = idMaker(() => new Date());
  const beginning: Promise<void>[] = [];
  for (let i = 0; i < agentCount; i++) {
    const agent = new SimulatedAgent({
      url: hub.url,
      token,
      hostId: makeId('host'),
      name: `bench-${i}`,
      slots: SLOTS,
      pace,
      timings,
      onFault,
    });
    agents.push(agent);
    await agent.attach();
  }
  say(`${agentCount} agents are attached.`);
  const studies = await createStudies(api, agentCount * SLOTS);
  for (const agent of agents) {
    const begun = agent.begin();
    begun.catch(onFault);
    beginning.push(begun);
    await sleep(RAMP_MS);
  }
  await Promise.all(beginning);
  say(`${agentCount * SLOTS} runs are running.`);
  const views = await Promise.all(studies.map((id) => api.studies.get.query({ id })));
  const runsOf = new Map(views.map((view) => [view.id, view]));
  const watched = Array.from({ length: pageCount }, (_, i) => {
    const { runId } = agents[i % agents.length]!.streams[0]!.ref;
    const studyId = studies.find((id) => JSON.stringify(runsOf.get(id)).includes(runId))!;
    return { studyId, runId };
  });
  return openPages({ url: hub.url, cookie, api }, watched, onFault);
}

function takeCpu() {
  return {
    hub: cpuSecondsOf(hub.pid),
    postgres: cpuSecondsOf(hub.postgresPid),
    load: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  };
}

try {
  const pages = await Promise.race([bringUp(), fault]);
  closers.push(() => pages.close());
  await Promise.race([sleep(WARM_UP_MS), fault]);

  await hub.usage();
  const ownDelay = monitorEventLoopDelay({ resolution: 5 });
  ownDelay.enable();
  for (const times of [timings.acks, timings.ages, timings.heartbeats, pages.answers]) times.length = 0;
  const recordsSoFar = () => agents.flatMap((agent) => agent.streams).reduce((sum, stream) => sum + stream.acked, 0);
  const [cpuBefore, recordsBefore, began] = [takeCpu(), recordsSoFar(), performance.now()];
  await Promise.race([sleep(seconds * 1000), fault]);

  const tookS = (performance.now() - began) / 1000;
  const cpuAfter = takeCpu();
  const pointsPerS = ((recordsSoFar() - recordsBefore) * metricsPerRecord) / tookS;
  const usage = await hub.usage();
  ownDelay.disable();
  const [acks, ages, heartbeats, answers] = [timings.acks, timings.ages, timings.heartbeats, pages.answers].map(spread);
  const memory = { hubBytes: memoryOf([hub.pid]), postgresBytes: memoryOf([hub.postgresPid]) };
  const load = loadavg().map((value) => round(value));

  const written = await Promise.race([
    Promise.all(
      agents.map(async (agent) => (await agent.finish()).map((records, i) => ({ ...agent.streams[i]!.ref, records }))),
    ),
    fault,
  ]);
  const stored = await checkStored(hub.databaseUrl, written.flat());
  const coresOf = (who: keyof typeof cpuBefore) => round((cpuAfter[who] - cpuBefore[who]) / tookS, 2);
  const ok = acks!.p99 < BAR_MS && stored.wrongRuns === 0 && stored.wrongRecords === 0;
  say(
    `Acks: median ${acks!.p50} ms, p99 ${acks!.p99} ms, longest ${acks!.max} ms; ${Math.round(pointsPerS)} points/s.`,
  );
  console.log(
    JSON.stringify({
      ...{ bench: 'hub', ok, agents: agentCount, runs: agentCount * SLOTS, seconds: round(tookS), pace },
      ...{ pointsPerS: Math.round(pointsPerS), batchesPerS: Math.round(acks!.count / tookS) },
      ...{
        ackMs: acks,
        ageAtAckMs: ages,
        heartbeatMs: heartbeats,
        pages: { count: pageCount, answerMs: answers, livePoints: pages.points },
      },
      hubLoopDelayMs: Object.fromEntries(Object.entries(usage.loopDelayMs).map(([name, ms]) => [name, round(ms)])),
      loadLoopDelayP99Ms: round(ownDelay.percentile(99) / 1e6 - 5),
      cores: { hub: coresOf('hub'), postgres: coresOf('postgres'), load: coresOf('load') },
      memory: { ...memory, hubHeapBytes: usage.heapBytes },
      stored,
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, load },
    }),
  );
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  console.error(hub.output().split('\n').slice(-SHOWN_LINES).join('\n'));
  throw error;
} finally {
  for (const close of closers) close();
  for (const agent of agents) agent.close();
  await hub.close();
}
