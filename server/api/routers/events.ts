import { StudyId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { loadNotices, loadStudyEvents } from '../../events/read-events.ts';
import { redactEvent, SHARED_KINDS } from '../../shares/redact.ts';
import { createRouter, sharedProcedure, viewerProcedure } from '../trpc.ts';

export const eventsRouter = createRouter({
  /** What the bell shows. */
  notices: viewerProcedure.query(({ ctx }) => loadNotices(ctx.pool, 30)),
  /** A study's activity, newest first, page by page. */
  ofStudy: sharedProcedure(
    z.strictObject({
      id: StudyId,
      /** Id of the event that the page ends before; the newest without it. */
      cursor: z.int().positive().nullish(),
      limit: z.int().min(1).max(200).default(50),
      /** Sent along by the page's library; there is one direction. */
      direction: z.literal('forward').optional(),
    }),
    ({ id }) => ({ studyId: id }),
  ).query(async ({ ctx, input }) => {
    const kinds = ctx.visitor ? SHARED_KINDS : null;
    const page = await loadStudyEvents(ctx.pool, input.id, input.cursor ?? null, input.limit, kinds);
    return ctx.visitor ? { ...page, events: page.events.flatMap((event) => redactEvent(event) ?? []) } : page;
  }),
});
