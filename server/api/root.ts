/** Every procedure of the API, by noun. */
import { chartsRouter } from './routers/charts.ts';
import { checkpointsRouter } from './routers/checkpoints.ts';
import { datasetsRouter } from './routers/datasets.ts';
import { evaluationsRouter } from './routers/evaluations.ts';
import { eventsRouter } from './routers/events.ts';
import { exportsRouter } from './routers/exports.ts';
import { hostsRouter } from './routers/hosts.ts';
import { launchersRouter } from './routers/launchers.ts';
import { meRouter } from './routers/me.ts';
import { membersRouter } from './routers/members.ts';
import { runLogRouter } from './routers/run-log.ts';
import { runsRouter } from './routers/runs.ts';
import { runsTableRouter } from './routers/runs-table.ts';
import { savedViewsRouter } from './routers/saved-views.ts';
import { sharesRouter } from './routers/shares.ts';
import { studiesRouter } from './routers/studies.ts';
import { studyChartsRouter } from './routers/study-charts.ts';
import { teachersRouter } from './routers/teachers.ts';
import { telemetryRouter } from './routers/telemetry.ts';
import { tokensRouter } from './routers/tokens.ts';
import { webhooksRouter } from './routers/webhooks.ts';
import { createCallerFactory, createRouter } from './trpc.ts';

export const appRouter = createRouter({
  me: meRouter,
  members: membersRouter,
  tokens: tokensRouter,
  hosts: hostsRouter,
  telemetry: telemetryRouter,
  launchers: launchersRouter,
  datasets: datasetsRouter,
  teachers: teachersRouter,
  studies: studiesRouter,
  shares: sharesRouter,
  runs: runsRouter,
  runLog: runLogRouter,
  runsTable: runsTableRouter,
  charts: chartsRouter,
  checkpoints: checkpointsRouter,
  studyCharts: studyChartsRouter,
  savedViews: savedViewsRouter,
  exports: exportsRouter,
  evaluations: evaluationsRouter,
  events: eventsRouter,
  webhooks: webhooksRouter,
});
export type AppRouter = typeof appRouter;

/** The same door without HTTP, for tests. */
export const createCaller = createCallerFactory(appRouter);
