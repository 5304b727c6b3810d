import { NewEvaluation } from '@mealtable/protocol/evaluation';
import { RunId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { createEvaluation } from '../../evaluations/create.ts';
import { listEvaluations } from '../../evaluations/list.ts';
import { removeEvaluation } from '../../evaluations/remove.ts';
import { createRouter, editorProcedure, viewerProcedure } from '../trpc.ts';

export const evaluationsRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => listEvaluations(ctx.pool)),
  create: editorProcedure.input(NewEvaluation).mutation(async ({ ctx, input }) => ({
    runId: await createEvaluation(ctx, input, ctx.member.id),
  })),
  /** One that has ended or still waits; its number goes with it. */
  remove: editorProcedure.input(z.strictObject({ id: RunId })).mutation(async ({ ctx, input }) => {
    await removeEvaluation(ctx, input.id);
    return { ok: true as const };
  }),
});
