import { StudyId, ViewId } from '@mealtable/protocol/ids';
import { NewSavedView, SavedViewKind } from '@mealtable/protocol/saved-views';
import { z } from 'zod';
import { listSavedViews, removeSavedView, saveView } from '../../studies/saved-views.ts';
import { createRouter, editorProcedure, viewerProcedure } from '../trpc.ts';

export const savedViewsRouter = createRouter({
  list: viewerProcedure
    .input(z.strictObject({ studyId: StudyId, kind: SavedViewKind }))
    .query(({ ctx, input }) => listSavedViews(ctx.pool, input.studyId, input.kind)),
  /** One of the same name is replaced. */
  save: editorProcedure
    .input(NewSavedView)
    .mutation(async ({ ctx, input }) => ({ id: await saveView(ctx, input, ctx.member.id) })),
  remove: editorProcedure.input(z.strictObject({ studyId: StudyId, id: ViewId })).mutation(async ({ ctx, input }) => {
    await removeSavedView(ctx.pool, input.studyId, input.id);
    return { ok: true } as const;
  }),
});
