import { HostId, RunId } from '@mealtable/protocol/ids';
import { TelemetryWindow } from '@mealtable/protocol/telemetry';
import { z } from 'zod';
import { listHostAttempts } from '../../telemetry/host-attempts.ts';
import { readHostTelemetry, readRunTelemetry } from '../../telemetry/read.ts';
import { createRouter, viewerProcedure } from '../trpc.ts';

const HostWindow = z.strictObject({ hostId: HostId, window: TelemetryWindow });

/** What hosts measure of themselves, and what they did: everybody who reads runs reads it. */
export const telemetryRouter = createRouter({
  host: viewerProcedure
    .input(HostWindow)
    .query(({ ctx, input }) => readHostTelemetry(ctx.pool, input.hostId, input.window)),
  hostAttempts: viewerProcedure
    .input(HostWindow)
    .query(({ ctx, input }) => listHostAttempts(ctx.pool, input.hostId, input.window)),
  run: viewerProcedure
    .input(z.strictObject({ runId: RunId }))
    .query(({ ctx, input }) => readRunTelemetry(ctx.pool, input.runId)),
});
