'use client';
import type { HostAttemptView } from '@mealtable/protocol/telemetry-views';
import Link from 'next/link';
import { useRef } from 'react';
import { formatAbsolute } from '../../format';
import { SpacerRow } from '../../ui/spacer-row';
import { Table, Td, Th, Tr } from '../../ui/table';
import { Elapsed } from '../../ui/time';
import { useVirtualRows } from '../../ui/use-virtual-rows';
import { nameOf, outcomeWords } from './attempt-words';

const ROW_HEIGHT = 41;

/** The timeline as rows, the newest first: for screen readers, and for looking something up. */
export function TimelineTable({ attempts }: { attempts: readonly HostAttemptView[] }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const newestFirst = attempts.toReversed();
  const { indices, before, after } = useVirtualRows(newestFirst.length, ROW_HEIGHT, body);
  return (
    <Table label="Attempts of this host" aria-rowcount={newestFirst.length + 1}>
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
      <tbody ref={body}>
        <SpacerRow height={before} />
        {indices.map((index) => {
          const attempt = newestFirst[index];
          return (
            attempt && (
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
            )
          );
        })}
        <SpacerRow height={after} />
      </tbody>
    </Table>
  );
}
