import { HostLabels } from '@mealtable/protocol/host-labels';
import { HostId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { removeHost } from '../../hosts/host-rows.ts';
import { drainHost, setLabels, undrainHost, wakeHost } from '../../hosts/manage.ts';
import { listHosts } from '../../hosts/view.ts';
import { createRouter, editorProcedure, ownerProcedure, viewerProcedure } from '../trpc.ts';

const OneHost = z.strictObject({ id: HostId });
const DONE = { ok: true } as const;

export const hostsRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => listHosts(ctx.pool)),
  setLabels: editorProcedure
    .input(z.strictObject({ id: HostId, labels: HostLabels }))
    .mutation(async ({ ctx, input }) => {
      await setLabels(ctx, input.id, input.labels);
      return DONE;
    }),
  /** It takes no more runs; what it trains goes on. */
  drain: editorProcedure.input(OneHost).mutation(async ({ ctx, input }) => {
    await drainHost(ctx, input.id);
    return DONE;
  }),
  undrain: editorProcedure.input(OneHost).mutation(async ({ ctx, input }) => {
    await undrainHost(ctx, input.id);
    return DONE;
  }),
  /** Ends a rest before its time. */
  wake: editorProcedure.input(OneHost).mutation(async ({ ctx, input }) => {
    await wakeHost(ctx, input.id);
    return DONE;
  }),
  /** Only a host that is not online; what it was running is queued again. */
  remove: ownerProcedure.input(OneHost).mutation(async ({ ctx, input }) => {
    await removeHost(ctx, input.id);
    return DONE;
  }),
});
