/** What people do to one run or to a selection of them, and why queued ones wait. Doing anything twice changes nothing. */
import { HostLabels } from '@mealtable/protocol/host-labels';
import { RunId, StudyId } from '@mealtable/protocol/ids';
import { Epochs } from '@mealtable/protocol/run-config';
import { z } from 'zod';
import { extendEpochs } from '../../runs/extend-epochs.ts';
import { requestPause, resumeRuns } from '../../runs/lifecycle-pause.ts';
import { requestCancel, retryRuns } from '../../runs/lifecycle-user.ts';
import { transact } from '../../runs/transaction.ts';
import { loadQueue } from '../../runs/waiting.ts';
import { setPriority, setRequirements } from '../../runs/wishes.ts';
import { editorProcedure, viewerProcedure } from '../trpc.ts';

const ids = z.array(RunId).min(1, 'Choose at least one run.').max(10_000, 'At most 10,000 runs at a time.');
const Selection = z.strictObject({ ids });

/** How many runs changed, and a sentence for each that would have to and could not. */
export interface ControlReply {
  changed: number;
  problems: string[];
}
const changed = (count: number): ControlReply => ({ changed: count, problems: [] });

export const controlProcedures = {
  queue: viewerProcedure
    .input(z.strictObject({ offset: z.int().min(0), limit: z.int().min(1).max(200) }))
    .query(({ ctx, input }) => loadQueue(ctx.pool, input)),
  /** Null for a run that is not queued. */
  waiting: viewerProcedure.input(z.strictObject({ id: RunId })).query(async ({ ctx, input }) => {
    const { items, total, paused } = await loadQueue(ctx.pool, { runId: input.id });
    const [item] = items;
    return item ? { position: item.position, reasons: item.reasons, waiting: total - paused } : null;
  }),
  cancelMany: editorProcedure
    .input(Selection)
    .mutation(async ({ ctx, input }) =>
      changed(await transact(ctx, (tx) => requestCancel(tx, input.ids, ctx.member.name))),
    ),
  retryMany: editorProcedure
    .input(Selection)
    .mutation(
      ({ ctx, input }): Promise<ControlReply> => transact(ctx, (tx) => retryRuns(tx, input.ids, ctx.member.name)),
    ),
  pause: editorProcedure.input(Selection).mutation(async ({ ctx, input }): Promise<ControlReply> => {
    const reply = await transact(ctx, (tx) => requestPause(tx, input.ids, ctx.member.id, ctx.member.name));
    const names = [...new Set(reply.tooOld.map(({ hostName }) => hostName))];
    const explain = (name: string) =>
      `The agent of ${name} is too old to pause a run: update Mealtable there and start it again, or drain the host.`;
    return { changed: reply.changed, problems: names.map(explain) };
  }),
  resume: editorProcedure
    .input(Selection)
    .mutation(async ({ ctx, input }) =>
      changed(await transact(ctx, (tx) => resumeRuns(tx, input.ids, ctx.member.name))),
    ),
  setPriority: editorProcedure
    .input(z.strictObject({ ids, priority: z.int().min(-100).max(100) }))
    .mutation(async ({ ctx, input }) =>
      changed(await transact(ctx, (tx) => setPriority(tx, input.ids, input.priority))),
    ),
  setRequirements: editorProcedure
    .input(
      z.strictObject({
        ids,
        labels: HostLabels,
        memoryBytes: z.int('Memory is a whole number of bytes.').min(1, 'Memory must be above 0.').nullable(),
      }),
    )
    .mutation(async ({ ctx, input }) => changed(await transact(ctx, (tx) => setRequirements(tx, input.ids, input)))),
  extendEpochs: editorProcedure
    .input(z.strictObject({ which: z.union([Selection, z.strictObject({ studyId: StudyId })]), epochs: Epochs }))
    .mutation(({ ctx, input: { which, epochs } }) =>
      transact(ctx, (tx) => extendEpochs(tx, 'ids' in which ? { runIds: which.ids } : which, epochs, ctx.member.name)),
    ),
};
