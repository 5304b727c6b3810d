/** Puts a sample that has just come onto the end of what was read, so that a page moves without reading all of it again. */
import { GPU_QUANTITIES, type GpuQuantity, type HostSample, MACHINE_QUANTITIES } from '@mealtable/protocol/telemetry';
import type { Columns, HostTelemetryView } from '@mealtable/protocol/telemetry-views';

const UNKNOWN_GPU = Object.fromEntries(GPU_QUANTITIES.map((quantity) => [quantity, null])) as Record<GpuQuantity, null>;

/** @returns the view itself when the sample is not newer than its last place @param spanMs what is older leaves the front */
export function appendSample(
  view: HostTelemetryView,
  { at, sample }: { at: number; sample: HostSample },
  spanMs: number,
): HostTelemetryView {
  const last = view.at.at(-1);
  if (last !== undefined && at <= last) return view;
  const drop = view.at.findIndex((time) => time > at - spanMs);
  const start = drop < 0 ? view.at.length : drop;
  const count = view.at.length - start;
  const extend = <Q extends string>(
    columns: Columns<Q>,
    quantities: readonly Q[],
    values: Record<Q, number | null>,
  ) => {
    const extended: Columns<Q> = {};
    for (const quantity of quantities) {
      const column = columns[quantity]?.slice(start);
      if (!column && values[quantity] === null) continue;
      extended[quantity] = [...(column ?? new Array<null>(count).fill(null)), values[quantity]];
    }
    return extended;
  };
  const known = view.gpus.map((gpu) => gpu.index);
  const fresh = sample.gpus
    .filter(({ index }) => !known.includes(index))
    .map(({ index }) => ({ index, name: null, columns: {} }));
  return {
    ...view,
    at: [...view.at.slice(start), at],
    machine: extend(view.machine, MACHINE_QUANTITIES, sample.machine),
    gpus: [...view.gpus, ...fresh].map((gpu) => ({
      ...gpu,
      columns: extend(gpu.columns, GPU_QUANTITIES, sample.gpus.find(({ index }) => index === gpu.index) ?? UNKNOWN_GPU),
    })),
  };
}
