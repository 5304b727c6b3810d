/** A host's attempts, each in a lane: one per slot, and as many as it takes for those whose slot nobody knows. */
import type { HostAttemptView } from '@mealtable/protocol/telemetry-views';

export interface Lane {
  /** Null: of attempts without a slot. */
  slot: number | null;
  attempts: HostAttemptView[];
}

/** @param slots that the host has now; it may have had more @param attempts by the time when they were taken */
export function layOutLanes(attempts: readonly HostAttemptView[], slots: number): Lane[] {
  const highest = attempts.reduce((max, { slot }) => Math.max(max, slot ?? -1), slots - 1);
  const lanes: Lane[] = Array.from({ length: highest + 1 }, (_, slot) => ({ slot, attempts: [] }));
  const unknown: Lane[] = [];
  for (const attempt of attempts) {
    if (attempt.slot !== null) lanes[attempt.slot]!.attempts.push(attempt);
    else findRoom(unknown, attempt).attempts.push(attempt);
  }
  return [...lanes, ...unknown];
}

function findRoom(lanes: Lane[], { claimedAt }: HostAttemptView): Lane {
  const free = lanes.find((lane) => {
    const last = lane.attempts.at(-1);
    return !last || (last.endedAt !== null && last.endedAt <= claimedAt);
  });
  if (free) return free;
  const lane = { slot: null, attempts: [] };
  lanes.push(lane);
  return lane;
}

export interface Bar {
  /** Pixels from the left edge. */
  left: number;
  width: number;
  /** What it stands for is shorter than it is drawn. */
  isTiny: boolean;
  /** More than one: they are too narrow to be told apart, and stand as one. */
  attempts: HostAttemptView[];
}

/** A bar that is narrower cannot be seen or hit. */
const MIN_WIDTH = 4;
/** What stands for several is no wider, so that zooming into it helps. */
const MAX_JOINED_WIDTH = 24;

/**
 * Bars of one lane within a window. Those too narrow to be told apart join, so there are never more bars than a lane has room
 * for; a longer one beside them stands for itself and gives way by some pixels.
 * @param attempts by the time when they were taken @param width of the lane in pixels
 */
export function placeBars(attempts: readonly HostAttemptView[], from: number, to: number, width: number): Bar[] {
  const bars: Bar[] = [];
  const toX = (time: number) => (Math.min(to, Math.max(from, time)) - from) * (width / (to - from));
  for (const attempt of attempts) {
    const end = attempt.endedAt ?? Math.max(to, attempt.claimedAt);
    if (attempt.claimedAt >= to || end <= from) continue;
    const right = toX(end);
    const left = Math.min(toX(attempt.claimedAt), width - MIN_WIDTH);
    const isTiny = right - left < MIN_WIDTH;
    const last = bars.at(-1);
    const lastRight = last ? last.left + last.width : 0;
    const isBesideTiny = last !== undefined && left < lastRight && last.isTiny;
    if (isBesideTiny && isTiny && last.width < MAX_JOINED_WIDTH) {
      last.width = Math.max(last.width, right - last.left);
      last.attempts.push(attempt);
      continue;
    }
    const start = Math.min(isBesideTiny ? lastRight : left, width - MIN_WIDTH);
    bars.push({ left: start, width: Math.max(MIN_WIDTH, right - start), isTiny, attempts: [attempt] });
  }
  return bars;
}
