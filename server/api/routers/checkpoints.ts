import { RunId, StudyId } from '@mealtable/protocol/ids';
import { RetentionChoice } from '@mealtable/protocol/retention';
import { z } from 'zod';
import { defaultRule } from '../../checkpoints/retention.ts';
import { applyRetention, previewRetention } from '../../checkpoints/retention-preview.ts';
import { loadCheckpointStatus } from '../../checkpoints/status.ts';
import { createRouter, editorProcedure, viewerProcedure } from '../trpc.ts';

const Choice = z.strictObject({ studyId: StudyId, choice: RetentionChoice });

export const checkpointsRouter = createRouter({
  /** Why each checkpoint of a run is kept, and how much of those on their way has arrived. */
  status: viewerProcedure
    .input(z.strictObject({ runId: RunId }))
    .query(({ ctx, input }) => loadCheckpointStatus(ctx, input.runId)),
  /** Just what would go if a study kept this. */
  previewRetention: viewerProcedure
    .input(Choice)
    .query(({ ctx, input }) =>
      previewRetention(ctx.pool, input.studyId, input.choice, defaultRule(ctx.env.keptCheckpoints)),
    ),
  /** Takes what the preview said, and refuses when that has changed. */
  setRetention: editorProcedure
    .input(Choice.extend({ seen: z.strictObject({ current: RetentionChoice, fingerprint: z.string() }) }))
    .mutation(({ ctx, input }) =>
      applyRetention(ctx, input.studyId, input.choice, input.seen, defaultRule(ctx.env.keptCheckpoints)),
    ),
});
