/** How an attempt of a timeline is called and coloured. */
import type { HostAttemptView } from '@mealtable/protocol/telemetry-views';
import { formatAbsolute, formatDuration } from '../../format.ts';
import { FAILURE_WORDS, OUTCOME_WORDS } from '../../words.ts';
import type { Bar } from './lanes.ts';

export type BarLook = NonNullable<HostAttemptView['outcome']> | 'running' | 'several';

/** Frame and ground; a hatched ground tells apart what colour alone would not. */
export const LOOKS: Record<BarLook, { word: string; className: string }> = {
  running: { word: 'Under way', className: 'border-accent bg-accent-soft' },
  succeeded: { word: 'Succeeded', className: 'border-fill-good bg-good-soft' },
  failed: { word: 'Failed', className: 'border-fill-bad bg-bad-soft' },
  lost: { word: 'Lost with its host', className: 'border-fill-bad border-dashed bg-bad-soft' },
  interrupted: { word: 'Interrupted', className: 'border-warn bg-warn-soft' },
  cancelled: { word: 'Cancelled', className: 'border-fill-muted bg-sunken' },
  refused: { word: 'Refused', className: 'border-fill-muted border-dashed bg-sunken' },
  several: { word: 'Several', className: 'border-line-strong bg-hover' },
};

export const lookOf = ({ attempts }: Bar): BarLook => {
  const looks = new Set(attempts.map(({ outcome }) => outcome ?? 'running'));
  const [first] = looks;
  return looks.size === 1 && first ? first : 'several';
};

export const nameOf = ({ variantLabel, seed, attempt }: HostAttemptView) =>
  `${variantLabel}, seed ${seed}${attempt > 1 ? `, attempt ${attempt}` : ''}`;

export function outcomeWords({ outcome, failureCode, startedAt }: HostAttemptView): string {
  if (failureCode) return FAILURE_WORDS[failureCode];
  if (outcome) return OUTCOME_WORDS[outcome];
  return startedAt === null ? 'Starting' : 'Under way';
}

/** "from Mar 3, 2026, 2:10:00 PM, 12 min 30 s" */
export const timeWords = ({ claimedAt, endedAt }: HostAttemptView, now: number) =>
  `from ${formatAbsolute(claimedAt)}, ${formatDuration((endedAt ?? now) - claimedAt)}${endedAt === null ? ' so far' : ''}`;

/** All that a bar stands for, in one sentence. */
export function describeBar({ attempts }: Bar, now: number): string {
  const [first] = attempts;
  if (!first) return '';
  if (attempts.length === 1)
    return `${nameOf(first)} of ${first.studyName}: ${outcomeWords(first)}, ${timeWords(first, now)}`;
  return `${attempts.length} attempts from ${formatAbsolute(first.claimedAt)}: zoom in to tell them apart`;
}
