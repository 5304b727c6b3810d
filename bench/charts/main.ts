/**
 * Charts in a real browser, over a real hub with its own Postgres: how soon the first chart of a large study is on the screen, how long
 * the page does not answer while live points arrive, and how long a point takes from the trainer to the screen.
 * The study has `--runs` runs (100) with `--steps` steps (10,000) of `--metrics` metrics (10), put in by the hub's own store, and
 * `--live` running runs (20) of simulated agents on real connections, whose spool is read as an agent reads it. `--viewers` (50) is one
 * browser, and sockets that watch the same rooms for the others.
 * Run: `npm run build`, then `npm run bench:charts [-- --seconds S]`. Needs Chromium (MEALTABLE_CHROMIUM). The last line is JSON; the
 * exit code says whether the bars are met: first chart within a second of its first request, no task above 100 ms after that, 95 of
 * 100 points within 500 ms.
 */
import { existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { idMaker } from '../../server/context.ts';
import { followLink } from '../../test/support/follow-link.ts';
import { type Api, connectApi } from '../../test/support/hub-process.ts';
import { SimulatedAgent } from '../hub/agent.ts';
import { createStudies } from '../hub/studies.ts';
import { startChartsHub } from './hub-process.ts';
import { type Drawn, installProbe, takeProbe } from './page-probe.ts';
import { openViewers } from './viewers.ts';

const FIRST_CHART_MS = 1_000;
const LONGEST_TASK_MS = 100;
const DRAWN_MS = 500;
const RECORDS_PER_S = 4;
const SLOTS = 2;

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    steps: { type: 'string', default: '10000' },
    metrics: { type: 'string', default: '10' },
    live: { type: 'string', default: '20' },
    viewers: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
  },
});
const numberOf = (name: keyof typeof flags) => Number(flags[name]);
const [runs, steps, metrics] = [numberOf('runs'), numberOf('steps'), numberOf('metrics')];
const [live, viewerCount, seconds] = [numberOf('live'), numberOf('viewers'), numberOf('seconds')];
const CHART = 'chart-train/metric_0';

const say = (line: string) => console.log(`[load ${loadavg()[0]!.toFixed(1)}] ${line}`);
const round = (ms: number) => Math.round(ms * 10) / 10;
function spread(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => round(sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** From the writing of each point to the first frame that has as many points: points are drawn in the order of their writing. */
function drawnAfter(written: readonly number[], drawn: readonly Drawn[], already: number, from: number): number[] {
  const rising = drawn.filter(({ chart }) => chart === CHART);
  let next = 0;
  return written.flatMap((at, i) => {
    while (next < rising.length && rising[next]!.points < already + i + 1) next++;
    const seen = rising[next];
    return seen && at >= from ? [seen.at - at] : [];
  });
}

/** When each of the runs' records was written, by the host's clock, which is this machine's. */
async function timesOf(api: Api, runIds: readonly string[]): Promise<number[]> {
  const pages = await Promise.all(runIds.map((id) => api.runs.metrics.query({ id, after: null })));
  return pages.flatMap(({ points }) => points.map(({ at }) => at)).sort((a, b) => a - b);
}

const executablePath = process.env.MEALTABLE_CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) throw new Error(`There is no Chromium at ${executablePath}: set MEALTABLE_CHROMIUM.`);
const hub = await startChartsHub();
/** What went wrong on the agents' side. */
const faults: string[] = [];
const closers: (() => Promise<void> | void)[] = [];
try {
  const cookie = (await followLink(hub.ownerLink))!;
  const api = connectApi(hub.url, { cookie, origin: hub.url });
  const [studyId] = (await createStudies(api, runs + live)) as [string];
  const filledAt = performance.now();
  const points = await hub.fill({ runs, steps, metrics });
  say(`${points} points are stored, after ${Math.round((performance.now() - filledAt) / 1000)} s.`);
  const { token } = await api.tokens.create.mutate({ kind: 'agent', label: 'bench' });
  const makeId = idMaker(() => new Date());
  const timings = { acks: [] as number[], ages: [] as number[], heartbeats: [] as number[] };
  const onFault = (error: Error) => void faults.push(error.message);
  const agents: SimulatedAgent[] = [];
  closers.push(() => agents.forEach((agent) => void agent.close()));
  const pace = { metricsPerRecord: metrics, recordsPerS: RECORDS_PER_S };
  for (let i = 0; i < live / SLOTS; i++) {
    const hostId = makeId('host');
    const name = `bench-${i}`;
    // Attached before the next is made: it connects by itself, and nobody would hear of it.
    const agent = new SimulatedAgent({ url: hub.url, token, hostId, name, slots: SLOTS, pace, timings, onFault });
    agents.push(agent);
    await agent.attach();
  }
  await sleep(3_000);

  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  closers.push(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const [name, value] = cookie.split(/=(.*)/s) as [string, string];
  await context.addCookies([{ name, value, url: hub.url }]);
  const openPage = async (path: string): Promise<{ page: Page; openedAt: number }> => {
    const page = await context.newPage();
    await installProbe(page);
    const openedAt = Date.now();
    await page.goto(hub.url + path);
    return { page, openedAt };
  };
  const untilDrawn = (page: Page, chart: string, count: number) =>
    page.waitForFunction(
      ([id, least]) =>
        [...document.querySelectorAll<HTMLElement>('figure')].some(
          ({ dataset }) => (id === '' || dataset.testid === id) && Number(dataset.points) >= Number(least),
        ),
      [chart, count] as const,
      { timeout: 120_000, polling: 50 },
    );

  // The programs of the page are in the browser's cache, as on any visit but the first.
  const warm = await openPage('/');
  await warm.page.waitForTimeout(2_000);
  await warm.page.close();
  const { page, openedAt } = await openPage(`/studies/${studyId}?c.group=runs&c.x=step#curves`);
  await untilDrawn(page, CHART, runs * steps);
  const visible = await page.locator('figure[data-points]').count();
  await page.waitForTimeout(3_000);
  const opened = await takeProbe(page);
  const firstDrawn = opened.drawn.find((at) => at.points >= runs * steps)!;
  const first = {
    fromRequestMs: round(firstDrawn.at - opened.firstRequestAt),
    fromAddressMs: round(firstDrawn.at - openedAt),
  };
  say(`First chart: ${first.fromRequestMs} ms after its request, ${first.fromAddressMs} ms after the address.`);

  await Promise.all(agents.map((agent) => agent.begin()));
  const liveRuns = agents.flatMap((agent) => agent.streams.map(({ ref }) => ref.runId));
  const viewers = await openViewers({ url: hub.url, cookie }, viewerCount - 1, studyId, liveRuns);
  closers.push(() => viewers.close());
  await untilDrawn(page, CHART, runs * steps + live * 8);
  const before = await takeProbe(page);
  const studyFrom = Date.now();
  await sleep(seconds * 1_000);
  const during = await takeProbe(page);
  const studyTimes = await timesOf(api, liveRuns);
  const onStudy = spread(
    drawnAfter(studyTimes, [...before.drawn, ...during.drawn], runs * steps, studyFrom).slice(
      0,
      during.drawn.length * 1_000,
    ),
  );
  // All after the first chart: those while the others were drawn too.
  const tasks = [...opened.longTasks.filter(({ at }) => at > firstDrawn.at), ...before.longTasks, ...during.longTasks];
  const longTasks = { count: tasks.length, over100: tasks.filter(({ ms }) => ms > LONGEST_TASK_MS).length };
  const longest = round(Math.max(0, ...tasks.map(({ ms }) => ms)));
  const longestLive = round(Math.max(0, ...during.longTasks.map(({ ms }) => ms)));
  say(`Longest task after the first chart: ${longest} ms, while live points arrive ${longestLive} ms.`);
  await page.close();

  const watched = liveRuns[0]!;
  const run = await openPage(`/runs/${watched}`);
  await untilDrawn(run.page, CHART, 1);
  await run.page.waitForTimeout(2_000);
  const runFrom = Date.now();
  await sleep(seconds * 1_000);
  const runProbe = await takeProbe(run.page);
  const onRun = spread(drawnAfter(await timesOf(api, [watched]), runProbe.drawn, 0, runFrom));
  say(`Trainer to screen: study page p95 ${onStudy.p95} ms, run page p95 ${onRun.p95} ms.`);

  const ok =
    faults.length === 0 &&
    first.fromRequestMs < FIRST_CHART_MS &&
    longTasks.over100 === 0 &&
    onRun.p95 < DRAWN_MS &&
    onStudy.p95 < DRAWN_MS;
  console.log(
    JSON.stringify({
      ...{ bench: 'charts', ok, runs, steps, metrics, live, viewers: viewerCount, chartsOnScreen: visible },
      ...{ firstChart: first, longTasksAfter: { ...longTasks, longestMs: longest, longestLiveMs: longestLive } },
      ...{ trainerToScreenMs: { studyPage: onStudy, runPage: onRun }, ackMs: spread(timings.acks) },
      ...{ viewerMessages: viewers.messages(), browsers: 1, faults },
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg().map(round) },
    }),
  );
  process.exitCode = ok ? 0 : 1;
} finally {
  for (const close of closers.reverse()) await close();
  await hub.close();
}
// All is measured and closed; what the browser still has under way keeps nobody waiting.
process.exit();
