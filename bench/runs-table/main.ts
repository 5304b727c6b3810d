/**
 * The runs table with ten thousand runs, fifty metrics and 37 config fields: what the hub takes for a page of rows, and what a reader
 * waits for in Chromium. Build first; without a Chromium, the second half is left out.
 * Run: `npm run bench:runs-table [-- --runs N --no-paint]`. The last line of the output is JSON.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { parseHubEnv } from '../../server/env.ts';
import { startHub } from '../../server/start-hub.ts';
import { followLink } from '../../test/support/follow-link.ts';
import { connectApi, makeDataDir, removeDataDir, startHubProcess } from '../../test/support/hub-process.ts';
import { measurePaint, type Paint } from './measure-paint.ts';
import { measureServer } from './measure-server.ts';
import { METRICS, seedLargeStudy } from './seed.ts';

const SERVER_BAR_MS = 100;
const PAINT_BAR_MS = 300;

const { values } = parseArgs({ options: { runs: { type: 'string' }, 'no-paint': { type: 'boolean' } } });
const runs = Number(values.runs ?? 10_000);
const dataDir = makeDataDir();
try {
  const studyId = await seed();
  const hub = await startHubProcess(dataDir, 0, { MEALTABLE_NO_AGENT: '1' });
  try {
    const cookie = await followLink(hub.ownerLink);
    if (cookie === null) throw new Error('The one-time link did not sign in.');
    const api = connectApi(hub.url, { cookie, origin: hub.url });
    const server = await measureServer(api, studyId, hub.process.pid!);
    console.log(
      `Hub, one page of 100 rows by 14 columns: p95 ${server.all.p95} ms over ${server.all.n} views (bar ${SERVER_BAR_MS}).`,
    );
    console.log(`Processor time of the hub for a page: mean ${server.cpuMsPerPage} ms.`);
    console.log(`First answer ${server.indexMs} ms; first use of a metric: p95 ${server.firstUseOfMetric.p95} ms.`);
    const hasBrowser = existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium') && !values['no-paint'];
    const paint = hasBrowser ? await measurePaint(hub.url, cookie, studyId) : null;
    if (paint) tell(paint);
    const waits = paint ? [paint.sort.p95, paint.group.p95, paint.filter.p95] : [];
    console.log(
      JSON.stringify({
        ok: server.all.p95 < SERVER_BAR_MS && waits.every((ms) => ms < PAINT_BAR_MS),
        ...{ runs, metrics: METRICS.length, server, paint, load: loadavg().map((load) => Number(load.toFixed(1))) },
      }),
    );
  } finally {
    await hub.end('SIGTERM');
  }
} finally {
  removeDataDir(dataDir);
}

/** By a hub of this process, which is gone before the measured one starts. */
async function seed(): Promise<string> {
  const { hub, close } = await startHub({
    env: parseHubEnv({ ...process.env, PORT: '0', MEALTABLE_DATA: dataDir, MEALTABLE_NO_AGENT: '1', DATABASE_URL: '' }),
    pages: 'none',
  });
  try {
    const begun = performance.now();
    const studyId = await seedLargeStudy(hub, runs);
    console.log(`${runs} runs were written in ${((performance.now() - begun) / 1000).toFixed(0)} s.`);
    return studyId;
  } finally {
    await close();
  }
}

function tell({ openMs, sort, group, filter, scroll }: Paint): void {
  console.log(
    `Chromium, from the click to the painted rows: sort p95 ${sort.p95} ms, group ${group.p95} ms (bar ${PAINT_BAR_MS}).`,
  );
  console.log(
    `From the last letter of a filter, its pause included: p95 ${filter.p95} ms. The page opens in ${openMs} ms.`,
  );
  console.log(`Scrolling: frames p95 ${scroll.p95} ms, longest task ${scroll.longestTaskMs} ms.`);
}
