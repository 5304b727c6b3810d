import { loadDatasetOptions } from '../../hosts/datasets.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

export const datasetsRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => loadDatasetOptions(ctx.pool)),
});
