import { StudyId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { metricNamesOf } from '../../studies/metric-names.ts';
import { createRouter, sharedProcedure } from '../trpc.ts';

export const studyChartsRouter = createRouter({
  /** Names of all metrics of the study's runs. */
  metricNames: sharedProcedure(z.strictObject({ id: StudyId }), ({ id }) => ({ studyId: id })).query(({ ctx, input }) =>
    metricNamesOf(ctx.pool, input.id),
  ),
});
