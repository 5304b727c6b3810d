import { DEMO_NAMES, DEMOS } from '@mealtable/protocol/demo-study';
import { HostLabels } from '@mealtable/protocol/host-labels';
import { RunId, StudyId, VariantId } from '@mealtable/protocol/ids';
import { StudyDesign, StudyName } from '@mealtable/protocol/study-design';
import { Notes, Question, TextChange } from '@mealtable/protocol/study-page';
import { z } from 'zod';
import { redactOverview } from '../../shares/redact.ts';
import { loadStudyCosts } from '../../studies/costs.ts';
import { createStudy } from '../../studies/create.ts';
import { estimateStudy } from '../../studies/estimate.ts';
import { expandWithDatabase } from '../../studies/expand.ts';
import { extendStudy } from '../../studies/extend.ts';
import { listStudies } from '../../studies/list.ts';
import {
  cancelStudy,
  cloneDesign,
  removeStudy,
  renameStudy,
  setMaxConcurrent,
  setReference,
} from '../../studies/manage.ts';
import { changeText, loadOverview } from '../../studies/overview.ts';
import { loadProgress } from '../../studies/progress.ts';
import { loadStudyTable } from '../../studies/table.ts';
import { loadStudyView } from '../../studies/view.ts';
import { createRouter, editorProcedure, sharedProcedure, viewerProcedure } from '../trpc.ts';

const OneStudy = z.strictObject({ id: StudyId });
const ofStudy = ({ id }: { id: string }) => ({ studyId: id });
const DONE = { ok: true } as const;

export const studiesRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => listStudies(ctx.pool)),
  /** All of it at once, for programs. */
  get: viewerProcedure.input(OneStudy).query(({ ctx, input }) => loadStudyView(ctx.pool, input.id)),
  /** All but its runs and what is reckoned from them: quick for a study of any size. */
  overview: sharedProcedure(OneStudy, ofStudy).query(async ({ ctx, input }) => {
    const study = await loadOverview(ctx.pool, input.id);
    return ctx.visitor ? redactOverview(study) : study;
  }),
  /** Its rows, and as much of its runs as curves need. */
  table: sharedProcedure(OneStudy, ofStudy).query(({ ctx, input }) => loadStudyTable(ctx.pool, input.id)),
  progress: sharedProcedure(OneStudy, ofStudy).query(({ ctx, input }) =>
    loadProgress(ctx.pool, input.id, ctx.now().getTime()),
  ),
  changeText: editorProcedure.input(TextChange).mutation(async ({ ctx, input }) => {
    await changeText(ctx, input);
    return DONE;
  }),
  /** Slot time of every run, and what its network is to compute. */
  costs: sharedProcedure(OneStudy, ofStudy).query(({ ctx, input }) => loadStudyCosts(ctx.pool, input.id)),
  /** What a design would make, as the hub sees it; the form expands on its own as well, without the round trip. */
  preview: viewerProcedure
    .input(z.strictObject({ design: StudyDesign }))
    .query(({ ctx, input }) => expandWithDatabase(ctx.pool, input.design)),
  /** Hours that a design would take, by what the hosts have computed so far, and the labels that they keep already. */
  estimate: viewerProcedure
    .input(z.strictObject({ design: StudyDesign, extends: StudyId.nullable().default(null) }))
    .query(({ ctx, input }) => estimateStudy(ctx.pool, input.design, input.extends)),
  create: editorProcedure
    .input(
      z.strictObject({
        name: StudyName,
        question: Question.default(''),
        notes: Notes.default(''),
        design: StudyDesign,
        /** Labels that the hosts of all its runs must have; a launcher's name is one, also a Slurm cluster's. */
        requiredLabels: HostLabels.default([]),
      }),
    )
    .mutation(async ({ ctx, input }) => ({ id: await createStudy(ctx, { ...input, createdById: ctx.member.id }) })),
  /** One of the demos on the digits that every host brings along. */
  createDemo: editorProcedure
    .input(z.strictObject({ demo: z.enum(DEMO_NAMES) }))
    .mutation(async ({ ctx, input: { demo } }) => {
      const { studyName, design } = DEMOS[demo];
      return { id: await createStudy(ctx, { name: studyName, notes: '', design, createdById: ctx.member.id }) };
    }),
  /** The design with a name for its copy, for the form. */
  clone: viewerProcedure
    .input(z.strictObject({ id: StudyId, name: StudyName.optional(), runId: RunId.optional() }))
    .query(({ ctx, input }) => cloneDesign(ctx.pool, input.id, { copyName: input.name, runId: input.runId })),
  extend: editorProcedure
    .input(z.strictObject({ id: StudyId, design: StudyDesign }))
    .mutation(({ ctx, input }) => extendStudy(ctx, input.id, input.design, ctx.member.name)),
  rename: editorProcedure
    .input(z.strictObject({ id: StudyId, name: StudyName, notes: Notes.optional() }))
    .mutation(async ({ ctx, input }) => {
      await renameStudy(ctx, input.id, input.name, input.notes);
      return DONE;
    }),
  setReference: editorProcedure
    .input(z.strictObject({ id: StudyId, variantId: VariantId }))
    .mutation(async ({ ctx, input }) => {
      await setReference(ctx, input.id, input.variantId);
      return DONE;
    }),
  setMaxConcurrent: editorProcedure
    .input(
      z.strictObject({
        id: StudyId,
        maxConcurrent: z
          .int('Runs at once are a whole number.')
          .min(1, 'At least 1 run at once; pause the runs instead.')
          .max(1_000, 'At most 1,000 runs at once.')
          .nullable(),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      await setMaxConcurrent(ctx, input.id, input.maxConcurrent);
      return DONE;
    }),
  cancel: editorProcedure.input(OneStudy).mutation(({ ctx, input }) => cancelStudy(ctx, input.id, ctx.member.name)),
  remove: editorProcedure.input(OneStudy).mutation(async ({ ctx, input }) => {
    await removeStudy(ctx, input.id);
    return DONE;
  }),
});
