/** The time that a study has left, in words: the figure, how it comes about, and what it does not hold. */
import type { LeftOut, TimeLeft } from '@mealtable/protocol/study-page';
import { formatDuration, plural } from '../format';

export interface TimeLeftWords {
  /** "about 3 h 05 min left". */
  figure: string;
  how: string;
}

const UNKNOWN: Record<Extract<TimeLeft, { kind: 'unknown' }>['why'], string> = {
  paused: 'Every run that has not ended is paused.',
  'nothing-runs': 'Runs wait, but none is on a host now: nobody knows when the next one starts.',
  'no-pace': 'No run has made a step yet that a pace could be taken from.',
};

const LEFT_OUT: Record<LeftOut['kind'], (runs: number) => string> = {
  unlike: (runs) => `${plural(runs, 'run')} ${runs === 1 ? 'is' : 'are'} like none that has made a step`,
  paused: (runs) => `${plural(runs, 'run')} ${runs === 1 ? 'is' : 'are'} paused`,
  queue: (runs) => `${plural(runs, 'run')} of other studies ${runs === 1 ? 'comes' : 'come'} first in the queue`,
};

/** @param left null while it is not known yet */
export function timeLeftWords(left: TimeLeft): TimeLeftWords {
  switch (left.kind) {
    case 'done':
      return { figure: 'All runs have ended', how: '' };
    case 'unknown':
      return { figure: 'Time left unknown', how: UNKNOWN[left.why] };
    case 'estimate': {
      const { atLeast, atOnce, runs } = left;
      const more = atLeast.map(({ kind, runs: n }) => LEFT_OUT[kind](n)).join('; ');
      const how = `By the pace of this study’s own runs: ${plural(runs, 'run')}, ${atOnce === 1 ? 'one' : atOnce} at a time as now.`;
      return {
        figure: `${atLeast.length > 0 ? 'at least' : 'about'} ${formatDuration(roundUp(left.ms))} left`,
        how: more === '' ? how : `${how} Not counted: ${more}.`,
      };
    }
  }
}

const MINUTE = 60_000;
/** An estimate has no seconds once it is longer than a few minutes. */
const roundUp = (ms: number): number =>
  ms < 5 * MINUTE ? Math.ceil(ms / 1000) * 1000 : Math.ceil(ms / MINUTE) * MINUTE;
