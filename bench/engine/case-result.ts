/** What the measurement of one case says. */
import type { Case } from './cases.ts';
import { type ContenderId, SUBJECTS } from './contenders.ts';
import type { Ready } from './job.ts';
import { ratiosByRound, type Spread, spreadOf } from './statistics.ts';

/** What was recorded of one contender. */
export interface Record {
  id: ContenderId;
  ready: Ready;
  /** images/s of every round. */
  rounds: number[];
  /** Largest resident memory, with loading, compiling and tracing, and in the measured steps alone; null where unknown. */
  peakBytes: number | null;
  stepPeakBytes: number | null;
}

export interface Measured extends Omit<Record, 'ready'>, Omit<Ready, 'capture'> {
  /** images/s over the rounds. */
  rate: Spread;
  /** How many times as fast the case's subject was, over the rounds; null for the subject itself. */
  ratio: Spread | null;
  capture: NonNullable<Ready['capture']> | null;
}

export interface LeftOut {
  id: ContenderId;
  reason: string;
}

export interface CaseResult {
  case: Case;
  /** The contender that the ratios are about: the most advanced of ours that ran. Null when none ran. */
  subject: ContenderId | null;
  measured: Measured[];
  leftOut: LeftOut[];
  /** Share of all cores that others took during the rounds, from 0 to 1; null where unknown. */
  foreignShare: number | null;
}

/** Every record needs the same number of rounds, at least one. */
export function summarise(
  measured: Case,
  records: readonly Record[],
  leftOut: LeftOut[],
  foreignShare: number | null,
): CaseResult {
  const subject = SUBJECTS.map((id) => records.find((record) => record.id === id)).find((record) => record);
  return {
    case: measured,
    subject: subject?.id ?? null,
    leftOut,
    foreignShare,
    measured: records.map(({ ready, ...record }) => ({
      ...record,
      ...ready,
      capture: ready.capture ?? null,
      rate: spreadOf(record.rounds),
      ratio:
        subject === undefined || subject.id === record.id
          ? null
          : spreadOf(ratiosByRound(subject.rounds, record.rounds)),
    })),
  };
}

/** Float32 sums taken in another order differ by less than this after an update, wrong arithmetic by more. */
const CHECK_TOLERANCE = 2e-3;

/** One sentence when contenders computed different things, so that their speeds must not be compared; else null. */
export function findDisagreement(results: readonly { id: string; checks: readonly number[] }[]): string | null {
  const reference = results[0];
  for (const { id, checks } of results) {
    const agrees = checks.every((check, i) => {
      const expected = reference!.checks[i]!;
      // Written so that NaN disagrees.
      return Math.abs(check - expected) <= CHECK_TOLERANCE * Math.abs(expected);
    });
    if (!agrees) {
      return `${id} computed ${checks.join(', ')} where ${reference!.id} computed ${reference!.checks.join(', ')}`;
    }
  }
  return null;
}
