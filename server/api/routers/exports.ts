import { CheckpointId, StudyId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { loadBestCheckpoints } from '../../exports/best-models.ts';
import { loadExportViews } from '../../exports/export-views.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

/** Exports are made over HTTP, where they are downloaded; these only look. */
export const exportsRouter = createRouter({
  ofCheckpoint: viewerProcedure
    .input(z.strictObject({ id: CheckpointId }))
    .query(({ ctx, input }) => loadExportViews(ctx, input.id)),
  bestOfStudy: viewerProcedure
    .input(z.strictObject({ id: StudyId }))
    .query(({ ctx, input }) => loadBestCheckpoints(ctx.pool, input.id)),
});
