/** What tables say of their numbers and of cells without one: the same on the page and in every export. */
import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import type { RunStatus } from '@mealtable/protocol/statuses';
import { TOP1_METRIC_WORDS, type Top1Metric } from '@mealtable/protocol/top1-metrics';
import type { Top1Row } from '@mealtable/protocol/views';
import { STATUS_WORDS } from '../words.ts';

export const NOISE_NOTE =
  'Within noise of the best: the 95 % interval of the difference to it, paired by seed, holds 0.';
export const DIFFERENCE_NOTE =
  'mean of the differences over the seeds that both have, with the 95 % interval and the two-sided p of the paired t test';

/** "3 failed", "1 running, 2 queued": the runs that have no result, by status; empty where all have one. */
export function unfinishedWords({ values }: Pick<Top1Row, 'values'>): string {
  const counts = new Map<RunStatus, number>();
  for (const { status } of values) if (status !== 'succeeded') counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts = [...counts].map(([status, count]) => `${count} ${STATUS_WORDS[status].toLowerCase()}`);
  const without = values.filter(({ status, top1 }) => status === 'succeeded' && top1 === null).length;
  return [...parts, ...(without > 0 ? [`${without} without this number`] : [])].join(', ');
}

/** "3", or "2 of 3" where results are missing. */
export const countWords = ({ n, values }: Pick<Top1Row, 'n' | 'values'>): string =>
  n === values.length ? `${n}` : `${n} of ${values.length}`;

/** @param reference its label; null without one */
export function captionWords(metric: Top1Metric, reference: string | null): string {
  const numbers = `Top-1 in percent ${TOP1_METRIC_WORDS[metric].caption}; mean ± sample standard deviation over n seeds.`;
  return reference === null ? numbers : `${numbers} Differences are to ${reference}: ${DIFFERENCE_NOTE}.`;
}

export const roleWords = (role: Top1Row['role']): string =>
  role === 'baseline' ? 'student alone' : role === 'student' ? 'distilled' : role;

export const publishedName = (name: PublishedStudyName): string =>
  `${publishedStudy(name).title} (published by MEAL V2's authors, on ImageNet; not computed here)`;
