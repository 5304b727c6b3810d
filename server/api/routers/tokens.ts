import { TokenId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { createToken, listTokens, NewToken, revokeToken } from '../../auth/tokens.ts';
import { createRouter, editorProcedure } from '../trpc.ts';

export const tokensRouter = createRouter({
  list: editorProcedure.query(({ ctx }) => listTokens(ctx, ctx.member)),
  create: editorProcedure.input(NewToken).mutation(({ ctx, input }) => createToken(ctx, ctx.member, input)),
  revoke: editorProcedure
    .input(z.strictObject({ id: TokenId }))
    .mutation(({ ctx, input }) => revokeToken(ctx, ctx.member, input.id)),
});
