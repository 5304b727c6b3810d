/** Several samples as one: means over the numbers that there are. */
import {
  GPU_QUANTITIES,
  type HostSample,
  MACHINE_QUANTITIES,
  TRAINER_QUANTITIES,
  type TrainerSample,
} from '@mealtable/protocol/telemetry';

/** @param samples at least one; a GPU or trainer that only some of them have is averaged over those */
export function meanSample(samples: readonly HostSample[]): HostSample {
  const machines = samples.map(({ machine }) => machine);
  const gpus = groupBy(
    samples.flatMap((sample) => sample.gpus),
    ({ index }) => index,
  );
  const trainers = groupBy(
    samples.flatMap((sample) => sample.trainers),
    ({ runId, attempt }) => `${runId} ${attempt}`,
  );
  return {
    machine: meansOf(MACHINE_QUANTITIES, machines),
    gpus: gpus.map((group) => ({ index: group[0]!.index, ...meansOf(GPU_QUANTITIES, group) })),
    trainers: trainers.map((group) => ({ ...placeOf(group.at(-1)!), ...meansOf(TRAINER_QUANTITIES, group) })),
  };
}

const placeOf = ({ runId, attempt, slot, gpu }: TrainerSample) => ({ runId, attempt, slot, gpu });

function meansOf<Q extends string>(
  quantities: readonly Q[],
  rows: readonly Record<Q, number | null>[],
): Record<Q, number | null> {
  const means = quantities.map((quantity) => {
    const values = rows.flatMap((row) => row[quantity] ?? []);
    return [quantity, values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length];
  });
  return Object.fromEntries(means) as Record<Q, number | null>;
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row)) ?? [];
    group.push(row);
    groups.set(keyOf(row), group);
  }
  return [...groups.values()];
}
