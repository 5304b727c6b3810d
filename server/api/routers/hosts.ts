import { HostId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { removeHost } from '../../hosts/host-rows.ts';
import { listHosts } from '../../hosts/view.ts';
import { createRouter, ownerProcedure, viewerProcedure } from '../trpc.ts';

export const hostsRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => listHosts(ctx.pool)),
  /** Only a host that is not online; what it was running is queued again. */
  remove: ownerProcedure.input(z.strictObject({ id: HostId })).mutation(async ({ ctx, input }) => {
    await removeHost(ctx, input.id);
    return { ok: true as const };
  }),
});
