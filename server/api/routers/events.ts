import { StudyId } from '@mealtable/protocol/ids';
import { z } from 'zod';
import { loadNotices, loadStudyEvents } from '../../events/read-events.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

export const eventsRouter = createRouter({
  /** What the bell shows. */
  notices: viewerProcedure.query(({ ctx }) => loadNotices(ctx.pool, 30)),
  /** A study's activity, newest first, page by page. */
  ofStudy: viewerProcedure
    .input(
      z.strictObject({
        id: StudyId,
        /** Id of the event that the page ends before; the newest without it. */
        cursor: z.int().positive().nullish(),
        limit: z.int().min(1).max(200).default(50),
        /** Sent along by the page's library; there is one direction. */
        direction: z.literal('forward').optional(),
      }),
    )
    .query(({ ctx, input }) => loadStudyEvents(ctx.pool, input.id, input.cursor ?? null, input.limit)),
});
