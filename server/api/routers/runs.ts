import { AppError } from '@mealtable/protocol/errors';
import { RunId } from '@mealtable/protocol/ids';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { z } from 'zod';
import type { Hub } from '../../context.ts';
import { metricsAfter } from '../../metrics/read.ts';
import { loadRunDetail } from '../../runs/detail.ts';
import { requestCancel, retryRun } from '../../runs/lifecycle-user.ts';
import { loadRunSummary } from '../../runs/summary.ts';
import { transact } from '../../runs/transaction.ts';
import { createRouter, editorProcedure, viewerProcedure } from '../trpc.ts';
import { controlProcedures } from './run-control.ts';

const OneRun = z.strictObject({ id: RunId });
const Cursor = z.strictObject({ attempt: z.int32().min(0), seq: z.int32().min(0) });

async function summaryOf(hub: Pick<Hub, 'pool'>, id: string): Promise<RunSummaryView> {
  const summary = await loadRunSummary(hub.pool, id);
  if (!summary) throw new AppError('not_found', `There is no run ${id}.`);
  return summary;
}

export const runsRouter = createRouter({
  get: viewerProcedure.input(OneRun).query(({ ctx, input }) => loadRunDetail(ctx.pool, input.id)),
  metrics: viewerProcedure
    .input(z.strictObject({ id: RunId, after: Cursor.nullable(), limit: z.int().min(1).max(5_000).default(5_000) }))
    .query(({ ctx, input }) => metricsAfter(ctx.pool, input.id, input.after, input.limit)),
  /** A run that has ended meanwhile is answered as it is. */
  cancel: editorProcedure.input(OneRun).mutation(async ({ ctx, input }) => {
    await transact(ctx, (tx) => requestCancel(tx, [input.id], ctx.member.name));
    return summaryOf(ctx, input.id);
  }),
  retry: editorProcedure.input(OneRun).mutation(async ({ ctx, input }) => {
    await transact(ctx, (tx) => retryRun(tx, input.id, ctx.member.name));
    return summaryOf(ctx, input.id);
  }),
  ...controlProcedures,
});
