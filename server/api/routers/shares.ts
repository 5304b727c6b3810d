import { ShareId, StudyId } from '@mealtable/protocol/ids';
import { NewShare } from '@mealtable/protocol/shares';
import { z } from 'zod';
import { createShare, listShares, revokeShare } from '../../shares/share-rows.ts';
import { createRouter, editorProcedure } from '../trpc.ts';

/** Making and taking back the links that show one study without an account. */
export const sharesRouter = createRouter({
  list: editorProcedure
    .input(z.strictObject({ studyId: StudyId }))
    .query(({ ctx, input }) => listShares(ctx, input.studyId)),
  create: editorProcedure.input(NewShare).mutation(({ ctx, input }) => createShare(ctx, ctx.member, input)),
  revoke: editorProcedure.input(z.strictObject({ id: ShareId })).mutation(async ({ ctx, input }) => {
    await revokeShare(ctx, ctx.member, input.id);
    return { ok: true as const };
  }),
});
