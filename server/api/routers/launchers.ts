import { LauncherId, RunId } from '@mealtable/protocol/ids';
import { HostKeyLine, LauncherName, LauncherSettings } from '@mealtable/protocol/launchers';
import { z } from 'zod';
import { createRouter, editorProcedure, ownerProcedure, viewerProcedure } from '../trpc.ts';

const OneLauncher = z.strictObject({ id: LauncherId });
const NewLauncher = z.strictObject({ name: LauncherName, settings: LauncherSettings });
/** A job's token: its run and the number of the submission. */
const JobToken = z.string().regex(/^run_[0-9a-z]{22}\.\d{1,6}$/, 'Not the token of a job (run_….1).');
const DONE = { ok: true } as const;

/** A launcher runs programs with the rights of the hub's account there: owners alone decide about them. */
export const launchersRouter = createRouter({
  list: viewerProcedure.query(({ ctx }) => ctx.launchers.list()),
  /** After that event, oldest first; without one the newest. */
  events: viewerProcedure
    .input(z.strictObject({ id: LauncherId, after: z.int().min(0).nullable().default(null) }))
    .query(({ ctx, input }) => ctx.launchers.events(input.id, input.after)),
  jobs: viewerProcedure.input(OneLauncher).query(({ ctx, input }) => ctx.launchers.jobs(input.id)),
  add: ownerProcedure
    .input(NewLauncher)
    .mutation(async ({ ctx, input }) => ({ id: await ctx.launchers.add(input.name, input.settings, ctx.member.id) })),
  edit: ownerProcedure.input(NewLauncher.extend({ id: LauncherId })).mutation(async ({ ctx, input }) => {
    await ctx.launchers.edit(input.id, input.name, input.settings);
    return DONE;
  }),
  remove: ownerProcedure.input(OneLauncher).mutation(async ({ ctx, input }) => {
    await ctx.launchers.remove(input.id);
    return DONE;
  }),
  /** Starts its agent, or brings it to this version and these settings. */
  launch: ownerProcedure.input(OneLauncher).mutation(async ({ ctx, input }) => {
    await ctx.launchers.launch(input.id, ctx.member.name);
    return DONE;
  }),
  stop: ownerProcedure.input(OneLauncher).mutation(async ({ ctx, input }) => {
    await ctx.launchers.stop(input.id, ctx.member.name);
    return DONE;
  }),
  look: editorProcedure.input(OneLauncher).mutation(async ({ ctx, input }) => {
    await ctx.launchers.look(input.id);
    return DONE;
  }),
  /** Ends a rest. */
  wake: ownerProcedure.input(OneLauncher).mutation(async ({ ctx, input }) => {
    await ctx.launchers.wake(input.id);
    return DONE;
  }),
  /** Last lines of its agent's log, or of the output of a job. */
  tail: editorProcedure
    .input(z.strictObject({ id: LauncherId, token: JobToken.nullable().default(null) }))
    .query(({ ctx, input }) => ctx.launchers.tail(input.id, input.token)),
  readHostKey: ownerProcedure.input(OneLauncher).mutation(({ ctx, input }) => ctx.launchers.readHostKey(input.id)),
  acceptHostKey: ownerProcedure
    .input(z.strictObject({ id: LauncherId, line: HostKeyLine }))
    .mutation(async ({ ctx, input }) => {
      await ctx.launchers.acceptHostKey(input.id, input.line, ctx.member.name);
      return DONE;
    }),
  dryRun: ownerProcedure
    .input(z.strictObject({ id: LauncherId, runId: RunId.nullable().default(null) }))
    .mutation(({ ctx, input }) => ctx.launchers.dryRun(input.id, input.runId)),
});
