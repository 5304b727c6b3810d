import { UserRole } from '@mealtable/protocol/statuses';
import { z } from 'zod';
import {
  Invitation,
  inviteMember,
  listMembers,
  removeMember,
  renewSignInLink,
  setMemberRole,
} from '../../auth/members.ts';
import { withoutNul } from '../../without-nul.ts';
import { createRouter, ownerProcedure } from '../trpc.ts';

const ById = z.strictObject({ id: z.string().min(1).transform(withoutNul) });

export const membersRouter = createRouter({
  list: ownerProcedure.query(({ ctx }) => listMembers(ctx)),
  invite: ownerProcedure.input(Invitation).mutation(({ ctx, input }) => inviteMember(ctx, input)),
  setRole: ownerProcedure
    .input(ById.extend({ role: UserRole }))
    .mutation(({ ctx, input }) => setMemberRole(ctx, input.id, input.role)),
  remove: ownerProcedure.input(ById).mutation(({ ctx, input }) => removeMember(ctx, input.id)),
  newLink: ownerProcedure.input(ById).mutation(({ ctx, input }) => renewSignInLink(ctx, input.id)),
});
