'use client';
import { isActive } from '@mealtable/protocol/statuses';
import type { RunDetailView } from '@mealtable/protocol/views';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { formatCount, formatDuration, formatMillions, formatPercent } from '../format';
import { Elapsed, RelativeTime, useNow } from '../ui/time';
import { estimateRemaining } from './eta';
import { runProgress } from './run-progress';
import { RunStepsBar } from './run-steps-bar';

/** Where the run stands, in one strip. */
export function RunFacts({ run }: { run: RunDetailView }) {
  const now = useNow(1_000);
  const remaining = estimateRemaining(run, now);
  const progress = runProgress(run);
  const isEvaluation = run.role === 'evaluation';
  const isLabelling = run.role === 'labelling';
  const epoch = run.stepsPerEpoch ? run.stepsCompleted / run.stepsPerEpoch : null;
  return (
    <section aria-label="State of the run" className="mb-4 rounded-panel border bg-surface">
      <div className="px-4 pt-3.5">
        <div className="mb-1.5 flex flex-wrap items-baseline gap-x-4 gap-y-0.5 text-sm">
          <span>
            <span className="num font-medium">{progress === null ? '0' : Math.floor(progress * 100)}%</span>
            <span className="text-ink-3">
              {' '}
              · {isEvaluation ? 'batch' : 'step'} <span className="num">{formatCount(run.stepsCompleted)}</span>
              {run.totalSteps !== null && (
                <>
                  {' of '}
                  <span className="num">{formatCount(run.totalSteps)}</span>
                </>
              )}
              {!isEvaluation && (
                <>
                  {isLabelling ? ' · view ' : ' · epoch '}
                  <span className="num">{epoch === null ? 0 : epoch.toFixed(epoch % 1 === 0 ? 0 : 1)}</span> of{' '}
                  <span className="num">{run.epochs}</span>
                </>
              )}
            </span>
          </span>
          {isActive(run.status) && (
            <span className="ml-auto text-ink-2">
              {remaining === null ? 'Time left not known yet' : `About ${formatDuration(remaining)} left`}
            </span>
          )}
        </div>
        <RunStepsBar run={run} />
      </div>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 py-3.5 sm:grid-cols-4 xl:grid-cols-8">
        {!isLabelling && (
          <Item name={isEvaluation ? 'Top-1' : 'Best top-1'}>
            <span className="num font-semibold">{formatPercent(run.bestTop1)}</span>
            {run.bestEpoch !== null && !isEvaluation && <span className="text-ink-3"> epoch {run.bestEpoch}</span>}
          </Item>
        )}
        {!isEvaluation && !isLabelling && (
          <Item name="Last top-1">
            <span className="num">{formatPercent(run.lastTop1)}</span>
          </Item>
        )}
        {run.finalTest?.best && (
          <Item name="Test top-1">
            <span className="num">{formatPercent(run.finalTest.best.top1)}</span>
            {run.finalTest.latest && run.finalTest.latest.top1 !== run.finalTest.best.top1 && (
              <span className="text-ink-3"> latest {formatPercent(run.finalTest.latest.top1)}</span>
            )}
          </Item>
        )}
        <Item name={isLabelling ? 'Teacher' : 'Network'}>{run.network}</Item>
        {!isLabelling && (
          <Item name="Parameters">
            <span className="num">{run.parameterCount === null ? '–' : formatMillions(run.parameterCount)}</span>
          </Item>
        )}
        <Item name="Input">
          <span className="num">{run.inputSize}</span> px
        </Item>
        <Item name="Host">
          {run.hostId ? (
            <Link href="/hosts" className="hover:text-accent hover:underline">
              {run.hostName}
            </Link>
          ) : (
            '–'
          )}
        </Item>
        <Item name="Duration">
          <Elapsed from={run.startedAt} to={run.finishedAt} />
        </Item>
        <Item name={run.startedAt === null ? 'Created' : 'Started'}>
          <RelativeTime at={run.startedAt ?? run.createdAt} />
        </Item>
      </dl>
    </section>
  );
}

const Item = ({ name, children }: { name: string; children: ReactNode }) => (
  <div className="min-w-0">
    <dt className="text-ink-3 text-xs">{name}</dt>
    <dd className="truncate text-sm">{children}</dd>
  </div>
);
