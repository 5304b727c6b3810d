import { RunId, StudyId } from '@mealtable/protocol/ids';
import {
  MAX_COMPARED_RUNS,
  RunsPageRequest,
  RunsRangeRequest,
  RunsRowsRequest,
} from '@mealtable/protocol/run-query-view';
import { z } from 'zod';
import {
  loadRunConfigs,
  loadRunRange,
  loadRunRows,
  loadRunSchema,
  loadRunsPage,
} from '../../studies/runs-table/answers.ts';
import { createRouter, sharedProcedure, viewerProcedure } from '../trpc.ts';

const scopeOf = ({ studyId }: { studyId: string }) => ({ studyId });

export const runsTableRouter = createRouter({
  /** What there is to show, to sort and group by, and to ask for. */
  schema: sharedProcedure(z.strictObject({ studyId: StudyId }), scopeOf).query(({ ctx, input }) =>
    loadRunSchema(ctx, input.studyId),
  ),
  page: sharedProcedure(RunsPageRequest, scopeOf).query(({ ctx, input }) => loadRunsPage(ctx, input)),
  rows: sharedProcedure(RunsRowsRequest, scopeOf).query(({ ctx, input }) => loadRunRows(ctx, input)),
  configs: sharedProcedure(
    z.strictObject({ studyId: StudyId, ids: z.array(RunId).min(1).max(MAX_COMPARED_RUNS) }),
    scopeOf,
  ).query(({ ctx, input }) => loadRunConfigs(ctx, input.studyId, input.ids)),
  /** For actions, which visitors have none of. */
  range: viewerProcedure.input(RunsRangeRequest).query(({ ctx, input }) => loadRunRange(ctx, input)),
});
