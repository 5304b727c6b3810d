/** `npm run demo`: a demo study on a hub of its own, from the first run to the tables, without a browser. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_NAMES, DEMOS, type DemoName } from '@mealtable/protocol/demo-study';
import { isEnded } from '@mealtable/protocol/statuses';
import type { StudyView } from '@mealtable/protocol/views';
import { isDatabaseDown } from './database-down.ts';
import { parseHubEnv } from './env.ts';
import { PROJECT_DIR } from './project-dir.ts';
import { type RunningHub, startHub } from './start-hub.ts';
import { StartupFault } from './startup-fault.ts';
import { createStudy } from './studies/create.ts';
import { formatEffects, formatTop1Table } from './studies/format-table.ts';
import { loadStudyView } from './studies/view.ts';

const LOOK_MS = 1_000;
/** How long the local host may take to attach before the demo gives up. */
const HOST_WAIT_MS = 60_000;
/** A machine with all its cores at work may leave the database without an answer for a while; the runs go on. */
const DATABASE_WAIT_MS = 180_000;

async function waitForDataset({ hub }: RunningHub) {
  const deadline = performance.now() + HOST_WAIT_MS;
  for (;;) {
    const { rows } = await hub.pool.query("SELECT 1 FROM hosts WHERE last_seen_at > now() - interval '1 minute'");
    if (rows.length > 0) return;
    if (performance.now() > deadline)
      throw new StartupFault(
        `The local host did not attach; ${path.join(hub.env.dataDir, 'agent', 'agent.log')} says why.`,
      );
    await sleep(LOOK_MS / 4);
  }
}

/** @param words the command line without the program */
function chooseDemo(words: readonly string[]): DemoName {
  const [word = 'ablation', ...more] = words;
  const name = DEMO_NAMES.find((known) => known === word);
  if (name === undefined || more.length > 0)
    throw new StartupFault(
      `There is no demo "${words.join(' ')}". Say \`npm run demo\` or \`npm run demo -- factors\`.`,
    );
  return name;
}

async function findUnfinishedDemo({ hub }: RunningHub, demo: DemoName): Promise<string | null> {
  const run = await hub.db.run.findFirst({
    where: { study: { name: DEMOS[demo].studyName }, status: { in: ['queued', 'claimed', 'running'] } },
    orderBy: { createdAt: 'desc' },
    select: { studyId: true },
  });
  return run?.studyId ?? null;
}

const createDemo = ({ hub }: RunningHub, demo: DemoName) =>
  createStudy(hub, { name: DEMOS[demo].studyName, notes: '', design: DEMOS[demo].design, createdById: null });

/** After a signal the database goes away under the watch; what that throws says nothing. */
let isEnding = false;

async function loadPatiently({ hub }: RunningHub, studyId: string): Promise<StudyView> {
  const deadline = performance.now() + DATABASE_WAIT_MS;
  for (;;) {
    try {
      return await loadStudyView(hub.pool, studyId);
    } catch (error) {
      if (isEnding || !isDatabaseDown(error) || performance.now() > deadline) throw error;
    }
    await sleep(LOOK_MS);
  }
}

/** Tells each run's end in a line, once. */
async function watch(running: RunningHub, studyId: string): Promise<StudyView> {
  const begun = performance.now();
  const told = new Set<string>();
  for (;;) {
    const study = await loadPatiently(running, studyId);
    for (const run of study.runs.filter((r) => isEnded(r.status) && !told.has(r.id))) {
      told.add(run.id);
      const result = run.bestTop1 === null ? (run.failureMessage ?? '') : `top-1 ${run.bestTop1.toFixed(2)}`;
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.log(
        `${seconds.padStart(4)} s  ${told.size}/${study.runs.length}  ${run.variantLabel}, seed ${run.seed}: ${run.status} ${result}`,
      );
    }
    if (told.size === study.runs.length) return study;
    await sleep(LOOK_MS);
  }
}

async function main() {
  const demo = chooseDemo(process.argv.slice(2));
  // Another data folder than `npm start` uses: the demo can run beside it and leaves nothing in it.
  const dataDir = process.env.MEALTABLE_DATA || path.join(PROJECT_DIR, '.mealtable', 'demo');
  const env = parseHubEnv({ ...process.env, PORT: '0', HOST: '127.0.0.1', MEALTABLE_DATA: dataDir });
  const starting = startHub({ env, pages: 'none', log: (line) => console.log(line) });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      isEnding = true;
      console.log('Stopping: the runs save their work first, and go on when the demo is started again.');
      starting.then((running) => running.close()).finally(() => process.exit(1));
    });
  const running = await starting;
  try {
    await waitForDataset(running);
    const id = (await findUnfinishedDemo(running, demo)) ?? (await createDemo(running, demo));
    console.log('The demo study is running; each run is told when it ends.\n');
    const study = await watch(running, id);
    console.log(`\n${formatTop1Table(study.rows)}`);
    console.log('\nWhat each factor does, in points of top-1: runs paired by all other levels and the seed.\n');
    console.log(formatEffects(study.effects));
    if (study.runs.some((run) => run.status !== 'succeeded')) process.exitCode = 1;
  } finally {
    await running.close();
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    if (isEnding) return;
    console.error(error instanceof StartupFault ? error.message : error);
    process.exit(1);
  },
);
