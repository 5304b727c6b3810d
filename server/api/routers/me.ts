import { describeMe, PasswordChange, setPassword } from '../../auth/account.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

export const meRouter = createRouter({
  get: viewerProcedure.query(({ ctx }) => describeMe(ctx, ctx.member)),
  /** The one change that viewers may make: it is their own account. */
  setPassword: viewerProcedure.input(PasswordChange).mutation(async ({ ctx, input }) => {
    await setPassword(ctx, ctx.member, input);
    return { ok: true as const };
  }),
});
