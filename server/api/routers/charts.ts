import { ChartRequest } from '@mealtable/protocol/chart-data';
import { RunId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { readChart } from '../../metrics/chart/read-chart.ts';
import { loadSummaries } from '../../metrics/chart/summaries.ts';
import { createRouter, sharedProcedure } from '../trpc.ts';

/** Runs that one call sums up at most. */
const MAX_SUMMARY_RUNS = 1_000;

export const chartsRouter = createRouter({
  /** For programs; pages ask POST /api/charts/series for the same in bytes. */
  series: sharedProcedure(ChartRequest, ({ runs }) => ({ runIds: runs })).query(({ ctx, input }) =>
    readChart(ctx.pool, input),
  ),
  /** By run, its metrics by name. */
  summaries: sharedProcedure(z.strictObject({ runs: z.array(RunId).min(1).max(MAX_SUMMARY_RUNS) }), ({ runs }) => ({
    runIds: runs,
  })).query(({ ctx, input }) => loadSummaries(ctx.pool, input.runs)),
});
