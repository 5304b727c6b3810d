/** How long a study still takes, from the pace of its own runs. Pure. */

import { medianOf } from '@mealtable/protocol/statistics/moments';
import { isActive, isEnded, type RunStatus } from '@mealtable/protocol/statuses';
import type { LeftOut, TimeLeft } from '@mealtable/protocol/study-page';

export interface PacedRun {
  id: string;
  /** Runs of one variant do the same work; those of one kind (role, network, size) nearly. */
  variantId: string;
  kind: string;
  status: RunStatus;
  isPaused: boolean;
  stepsCompleted: number;
  /** Null until its trainer has said it. */
  stepsPerEpoch: number | null;
  epochs: number;
  /** Of its newest attempt: when it started and ended (ms since 1970, null for neither), and from which step it went on. */
  startedAt: number | null;
  endedAt: number | null;
  startStep: number;
  /** Runs that must succeed before it starts. */
  needs: readonly string[];
}

/** Milliseconds of a step, of a run whose newest attempt has made some. */
function paceOf(run: PacedRun, now: number): number | null {
  const steps = run.stepsCompleted - run.startStep;
  if (run.startedAt === null || steps <= 0) return null;
  const until = isActive(run.status) ? now : run.endedAt;
  return until === null || until <= run.startedAt ? null : (until - run.startedAt) / steps;
}

interface Facts {
  /** Milliseconds of a step. */
  pace: number;
  stepsPerEpoch: number;
}

/** Medians of the runs of one variant, and of one kind. */
function gatherFacts(runs: readonly PacedRun[], now: number, keyOf: (run: PacedRun) => string): Map<string, Facts> {
  const groups = new Map<string, { paces: number[]; epochs: number[] }>();
  for (const run of runs) {
    const pace = paceOf(run, now);
    if (pace === null || run.stepsPerEpoch === null) continue;
    const group = groups.get(keyOf(run)) ?? { paces: [], epochs: [] };
    groups.set(keyOf(run), group);
    group.paces.push(pace);
    group.epochs.push(run.stepsPerEpoch);
  }
  const facts = ({ paces, epochs }: { paces: number[]; epochs: number[] }): Facts => ({
    pace: medianOf(paces)!,
    stepsPerEpoch: medianOf(epochs)!,
  });
  return new Map([...groups].map(([key, group]) => [key, facts(group)]));
}

/**
 * A run that trains goes on at its own pace; one that waits takes what runs of its variant, or else of its kind, took. They are
 * laid out over as many slots as the study has now, each as soon as what it needs is done, in the order of the queue.
 * @param runs all of the study; those that wait in the order of the queue
 * @param ahead runs of other studies that are taken before the next one of this
 */
export function estimateTimeLeft(runs: readonly PacedRun[], ahead: number, now: number): TimeLeft {
  const open = runs.filter((run) => !isEnded(run.status));
  if (open.length === 0) return { kind: 'done' };
  const due = open.filter((run) => !run.isPaused);
  if (due.length === 0) return { kind: 'unknown', why: 'paused' };
  const active = due.filter((run) => isActive(run.status));
  if (active.length === 0) return { kind: 'unknown', why: 'nothing-runs' };

  const ofVariant = gatherFacts(runs, now, (run) => run.variantId);
  const ofKind = gatherFacts(runs, now, (run) => run.kind);
  const timeOf = (run: PacedRun): number | null => {
    const like = ofVariant.get(run.variantId) ?? ofKind.get(run.kind);
    const pace = (isActive(run.status) ? paceOf(run, now) : null) ?? like?.pace;
    const perEpoch = run.stepsPerEpoch ?? like?.stepsPerEpoch;
    if (pace === undefined || perEpoch === undefined) return null;
    return Math.max(0, perEpoch * run.epochs - run.stepsCompleted) * pace;
  };
  const timed = due.flatMap((run) => {
    const ms = timeOf(run);
    return ms === null ? [] : [{ run, ms }];
  });
  if (timed.length === 0) return { kind: 'unknown', why: 'no-pace' };

  const leftOut: LeftOut[] = [
    { kind: 'unlike', runs: due.length - timed.length },
    { kind: 'paused', runs: open.length - due.length },
    { kind: 'queue', runs: due.length > active.length ? ahead : 0 },
  ];
  return {
    kind: 'estimate',
    ms: layOut(timed, active.length),
    atLeast: leftOut.filter(({ runs: n }) => n > 0),
    runs: timed.length,
    atOnce: active.length,
  };
}

/** @returns milliseconds until the last one ends */
function layOut(timed: readonly { run: PacedRun; ms: number }[], slots: number): number {
  const endOf = new Map<string, number>();
  const running = timed.filter(({ run }) => isActive(run.status));
  for (const { run, ms } of running) endOf.set(run.id, ms);
  // A slot whose run is like none is taken for free: what it does is left out, and the estimate says so.
  const free = [...running.map(({ ms }) => ms), ...Array<number>(slots - running.length).fill(0)];
  let waiting = timed.filter(({ run }) => !isActive(run.status));
  const isWaiting = new Set(waiting.map(({ run }) => run.id));
  while (waiting.length > 0) {
    const later: typeof waiting = [];
    for (const item of waiting) {
      const { run, ms } = item;
      if (run.needs.some((id) => isWaiting.has(id))) {
        later.push(item);
        continue;
      }
      let slot = 0;
      for (let i = 1; i < free.length; i++) if (free[i]! < free[slot]!) slot = i;
      const start = Math.max(free[slot]!, ...run.needs.map((id) => endOf.get(id) ?? 0));
      free[slot] = start + ms;
      endOf.set(run.id, start + ms);
      isWaiting.delete(run.id);
    }
    // Needs go round in no circle; were there one, its runs would be left out rather than waited for.
    if (later.length === waiting.length) break;
    waiting = later;
  }
  return Math.max(0, ...endOf.values());
}
