import type { KeepReason, RetentionRule } from '@mealtable/protocol/retention';

const WORDS: Record<KeepReason, string> = {
  best: 'best',
  latest: 'latest',
  arriving: 'on its way',
  evaluation: 'being evaluated',
  only: 'nothing later yet',
};

/** Why a checkpoint is kept, in a few words. */
export function KeptBecause({ reasons }: { reasons: readonly KeepReason[] | undefined }) {
  if (!reasons) return null;
  if (reasons.length === 0) return <span className="text-ink-3">goes soon</span>;
  return <>{reasons.map((reason) => WORDS[reason]).join(', ')}</>;
}

/** "the best and the latest", "the best 3, and none of the latest" */
export function describeRule({ best, latest }: RetentionRule): string {
  const bests = best === 1 ? 'the best' : `the best ${best}`;
  if (latest === 0) return `${bests}, and none of the latest`;
  return `${bests} and ${latest === 1 ? 'the latest' : `the latest ${latest}`}`;
}
