import { isAscending } from '../codec/segment.ts';
import type { Entries, Rollups } from './fold-series.ts';

/** Parts as they follow each other by step; where some interleave, or a trainer went back, all of them as one. */
export function orderParts(parts: readonly Entries[]): readonly Entries[] {
  const filled = parts.filter(({ step }) => step.length > 0);
  const sorted = filled.toSorted((a, b) => a.step[0]! - b.step[0]! || inTime(a, b));
  const follow = sorted.every(
    ({ step, rollups }, i) =>
      isAscending(step) && (i === 0 || (rollups?.firstStep ?? step)[0]! >= sorted[i - 1]!.step.at(-1)!),
  );
  return follow ? sorted : [interleave(filled.toSorted(inTime))];
}

const inTime = (a: Entries, b: Entries) => a.attempt - b.attempt || a.seq - b.seq;

const ROLLUP_COLUMNS = ['firstStep', 'count', 'finite', 'mean', 'min', 'max', 'first'] as const;

/** Entries of the same step stay in the order of the parts. */
function interleave(parts: readonly Entries[]): Entries {
  const length = parts.reduce((sum, { step }) => sum + step.length, 0);
  const join = (pick: (part: Entries) => Float64Array) => {
    const all = new Float64Array(length);
    let offset = 0;
    for (const part of parts) {
      all.set(pick(part), offset);
      offset += part.step.length;
    }
    return all;
  };
  const step = join((part) => part.step);
  const order = Uint32Array.from(step.keys()).sort((a, b) => step[a]! - step[b]! || a - b);
  const arrange = (values: Float64Array) => Float64Array.from(order, (i) => values[i]!);
  const isRolled = parts.some(({ rollups }) => rollups !== null);
  const columnsOf = (part: Entries): Rollups => part.rollups ?? pointsAsRollups(part);
  return {
    ...{ attempt: parts[0]!.attempt, seq: parts[0]!.seq },
    step: arrange(step),
    epoch: arrange(join((part) => part.epoch)),
    at: arrange(join((part) => part.at)),
    last: arrange(join((part) => part.last)),
    rollups: isRolled
      ? (Object.fromEntries(
          ROLLUP_COLUMNS.map((name) => [name, arrange(join((part) => columnsOf(part)[name]))]),
        ) as unknown as Rollups)
      : null,
  };
}

function pointsAsRollups({ step, last }: Entries): Rollups {
  const finite = last.map((value) => (Number.isFinite(value) ? 1 : 0));
  const count = new Float64Array(step.length).fill(1);
  return { firstStep: step, count, finite, mean: last, min: last, max: last, first: last };
}
