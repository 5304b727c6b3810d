'use client';
import type { AttemptView } from '@mealtable/protocol/views';
import { Layers } from 'lucide-react';
import { Fragment } from 'react';
import { formatCount } from '../format';
import { EmptyState } from '../ui/empty-state';
import { StatusIcon } from '../ui/status-badge';
import { Table, Td, Th, Tr } from '../ui/table';
import { Elapsed, RelativeTime } from '../ui/time';
import { FAILURE_WORDS, OUTCOME_WORDS, type ShownStatus } from '../words';

const OUTCOME_ICONS: Record<NonNullable<AttemptView['outcome']>, ShownStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'paused',
  lost: 'failed',
  refused: 'cancelled',
};

export function AttemptsTab({ attempts }: { attempts: AttemptView[] }) {
  if (attempts.length === 0)
    return (
      <EmptyState icon={Layers} title="No attempt yet">
        An attempt begins when a host takes the run.
      </EmptyState>
    );
  return (
    <Table label="Attempts">
      <thead>
        <tr>
          <Th>Attempt</Th>
          <Th>Outcome</Th>
          <Th>Host</Th>
          <Th>Device</Th>
          <Th align="right">From step</Th>
          <Th align="right">Records</Th>
          <Th>Taken</Th>
          <Th>Duration</Th>
        </tr>
      </thead>
      <tbody>
        {attempts.toReversed().map((attempt) => (
          <Fragment key={attempt.attempt}>
            <Tr>
              <Td className="num font-medium">{attempt.attempt}</Td>
              <Td>
                <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
                  <StatusIcon
                    status={attempt.outcome ? OUTCOME_ICONS[attempt.outcome] : 'running'}
                    className="size-3.5"
                  />
                  {attempt.outcome ? OUTCOME_WORDS[attempt.outcome] : attempt.startedAt ? 'Under way' : 'Starting'}
                </span>
                <Reason attempt={attempt} />
              </Td>
              <Td>{attempt.hostName ?? <span className="text-ink-3">removed</span>}</Td>
              <Td className="text-ink-2">{[attempt.device, attempt.backend].filter(Boolean).join(' · ') || '–'}</Td>
              <Td align="right" className="num">
                {formatCount(attempt.startStep)}
              </Td>
              <Td align="right" className="num">
                {formatCount(attempt.ackedSeq)}
              </Td>
              <Td className="text-ink-2">
                <RelativeTime at={attempt.claimedAt} />
              </Td>
              <Td className="num text-xs">
                <Elapsed from={attempt.startedAt} to={attempt.endedAt} />
              </Td>
            </Tr>
            {attempt.lastLogLines.length > 0 && (
              <tr className="border-b last:border-b-0">
                <td colSpan={8} className="px-3 pb-3">
                  <details>
                    <summary className="text-ink-2 text-xs hover:text-ink">
                      Last {attempt.lastLogLines.length} lines of attempt {attempt.attempt}
                    </summary>
                    <pre className="mt-2 max-h-72 overflow-auto whitespace-pre-wrap break-words rounded-lg bg-sunken p-3 text-xs leading-5">
                      {attempt.lastLogLines.join('\n')}
                    </pre>
                  </details>
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </Table>
  );
}

function Reason({ attempt }: { attempt: AttemptView }) {
  const parts = [
    attempt.failureCode && FAILURE_WORDS[attempt.failureCode],
    attempt.message,
    attempt.signal && `signal ${attempt.signal}`,
    attempt.exitCode ? `exit code ${attempt.exitCode}` : null,
  ].filter(Boolean);
  if (parts.length === 0) return null;
  return <p className="max-w-md text-ink-3 text-xs">{parts.join(' · ')}</p>;
}
