import { DatasetName } from '@mealtable/protocol/run-config';
import { z } from 'zod';
import { loadTeacherOptions } from '../../studies/teachers.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

export const teachersRouter = createRouter({
  list: viewerProcedure
    .input(z.strictObject({ dataset: DatasetName.optional() }).default({}))
    .query(({ ctx, input }) => loadTeacherOptions(ctx.pool, input.dataset ?? null)),
});
