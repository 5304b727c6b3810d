'use client';
import type { HostAttemptView } from '@mealtable/protocol/telemetry-views';
import Link from 'next/link';
import { useState } from 'react';
import { formatAbsolute, formatCount } from '../../format';
import { Button } from '../../ui/button';
import { Table, Td, Th, Tr } from '../../ui/table';
import { Elapsed } from '../../ui/time';
import { nameOf, outcomeWords } from './attempt-words';

/** The page goes on below: a table of thousands would hide that. */
const PORTION = 50;

/** The timeline as rows, the newest first: for screen readers, and for looking something up. */
export function TimelineTable({ attempts }: { attempts: readonly HostAttemptView[] }) {
  const [count, setCount] = useState(PORTION);
  const rows = attempts.toReversed().slice(0, count);
  const more = Math.min(4 * PORTION, attempts.length - rows.length);
  return (
    <>
      <Table label="Attempts of this host" aria-rowcount={attempts.length + 1}>
        <thead>
          <tr>
            <Th>Run</Th>
            <Th>Study</Th>
            <Th align="right">Slot</Th>
            <Th>Outcome</Th>
            <Th>Taken</Th>
            <Th>Duration</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map((attempt, index) => (
            <Tr key={`${attempt.runId} ${attempt.attempt}`} aria-rowindex={index + 2}>
              <Td className="max-w-72 truncate">
                <Link
                  href={`/runs/${attempt.runId}?tab=attempts`}
                  prefetch={false}
                  className="font-medium hover:text-accent hover:underline"
                >
                  {nameOf(attempt)}
                </Link>
              </Td>
              <Td className="max-w-56 truncate text-ink-2">{attempt.studyName}</Td>
              <Td align="right" className="num">
                {attempt.slot ?? '–'}
              </Td>
              <Td className="whitespace-nowrap">{outcomeWords(attempt)}</Td>
              <Td className="whitespace-nowrap text-ink-2">{formatAbsolute(attempt.claimedAt)}</Td>
              <Td className="num text-xs">
                <Elapsed from={attempt.claimedAt} to={attempt.endedAt} />
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      {more > 0 && (
        <Button size="sm" className="mt-2" onClick={() => setCount(count + more)}>
          Show {formatCount(more)} older ones
        </Button>
      )}
    </>
  );
}
