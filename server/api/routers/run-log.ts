import { RunId } from '@mealtable/protocol/ids';
import { LogSource } from '@mealtable/protocol/output';
import { LogFilter, LogPageRequest, LogSearchRequest } from '@mealtable/protocol/run-log';
import { z } from 'zod';
import { findPlace, readNewer, readOlder } from '../../output/read-log.ts';
import { searchLog } from '../../output/search-log.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

const LogHit = z.strictObject({ source: LogSource, attempt: z.int32(), seq: z.int32(), at: z.number() });

export const runLogRouter = createRouter({
  page: viewerProcedure
    .input(LogPageRequest)
    .query(({ ctx, input }) => (input.after ? readNewer(ctx.pool, input) : readOlder(ctx.pool, input))),
  /** What is before a line, and what begins with it. */
  around: viewerProcedure
    .input(z.strictObject({ id: RunId, filter: LogFilter, hit: LogHit, limit: z.int().min(1).max(2_000) }))
    .query(async ({ ctx, input: { hit, ...request } }) => {
      const place = await findPlace(ctx.pool, request.id, hit);
      const [older, newer] = await Promise.all([
        readOlder(ctx.pool, { ...request, before: place }),
        readNewer(ctx.pool, { ...request, after: place }),
      ]);
      return { older, newer };
    }),
  search: viewerProcedure.input(LogSearchRequest).query(({ ctx, input }) => searchLog(ctx.pool, input)),
});
