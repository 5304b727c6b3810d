import { WebhookId } from '@mealtable/protocol/ids';
import { NewWebhook, WebhookChange } from '@mealtable/protocol/webhooks';
import { z } from 'zod';
import {
  changeWebhook,
  createWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  removeWebhook,
  renewSecret,
  testWebhook,
} from '../../webhooks/webhook-rows.ts';
import { createRouter, ownerProcedure } from '../trpc.ts';

const OneWebhook = z.strictObject({ id: WebhookId });

/** Owners alone: what is sent leaves the hub, and where to can be inside its network. */
export const webhooksRouter = createRouter({
  list: ownerProcedure.query(({ ctx }) => listWebhooks(ctx.pool)),
  deliveries: ownerProcedure.input(OneWebhook).query(({ ctx, input }) => listDeliveries(ctx.pool, input.id)),
  create: ownerProcedure.input(NewWebhook).mutation(({ ctx, input }) => createWebhook(ctx, input, ctx.member.id)),
  change: ownerProcedure.input(WebhookChange).mutation(({ ctx, input }) => changeWebhook(ctx, input)),
  newSecret: ownerProcedure.input(OneWebhook).mutation(({ ctx, input }) => renewSecret(ctx, input.id)),
  remove: ownerProcedure.input(OneWebhook).mutation(({ ctx, input }) => removeWebhook(ctx, input.id)),
  test: ownerProcedure.input(OneWebhook).mutation(({ ctx, input }) => testWebhook(ctx, input.id)),
  redeliver: ownerProcedure
    .input(OneWebhook.extend({ eventId: z.int().positive() }))
    .mutation(({ ctx, input }) => redeliver(ctx, input.id, input.eventId)),
});
