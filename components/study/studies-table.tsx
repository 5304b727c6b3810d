'use client';
import type { StudyListItem } from '@mealtable/protocol/views';
import Link from 'next/link';
import { useRef } from 'react';
import { formatPercent } from '../format';
import { SpacerRow } from '../ui/spacer-row';
import { StatusCountsBar } from '../ui/status-counts';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { useVirtualRows } from '../ui/use-virtual-rows';

const ROW_HEIGHT = 56;

export function StudiesTable({ studies }: { studies: StudyListItem[] }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { indices, before, after } = useVirtualRows(studies.length, ROW_HEIGHT, body);
  return (
    <Table label="Studies" className="table-fixed" aria-rowcount={studies.length + 1}>
      <thead>
        <tr>
          <Th className="w-auto">Name</Th>
          <Th className="hidden w-32 lg:table-cell">Dataset</Th>
          <Th className="hidden w-32 xl:table-cell">Student</Th>
          <Th className="hidden w-44 sm:table-cell">Runs</Th>
          <Th className="w-24 md:w-64">Best top-1</Th>
          <Th className="hidden w-44 md:table-cell">Created</Th>
        </tr>
      </thead>
      <tbody ref={body}>
        <SpacerRow height={before} />
        {indices.map((index) => {
          const study = studies[index];
          return study ? <StudyRow key={study.id} study={study} rowIndex={index + 2} /> : null;
        })}
        <SpacerRow height={after} />
      </tbody>
    </Table>
  );
}

function StudyRow({ study, rowIndex }: { study: StudyListItem; rowIndex: number }) {
  return (
    <Tr aria-rowindex={rowIndex} className="relative hover:bg-hover" style={{ height: ROW_HEIGHT }}>
      <Td>
        {/* The link covers the row, so that a press anywhere opens the study. */}
        <Link
          href={`/studies/${study.id}`}
          className="line-clamp-2 break-words font-medium leading-[1.15rem] after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          title={study.name}
        >
          {study.name}
        </Link>
        <span className="block truncate text-ink-3 text-xs xl:hidden">
          <span className="lg:hidden">{study.dataset} · </span>
          {study.studentNetwork}
        </span>
        <span className="mt-1.5 block sm:hidden">
          <RunsCell study={study} />
        </span>
      </Td>
      <Td className="hidden truncate text-ink-2 lg:table-cell">{study.dataset}</Td>
      <Td className="hidden truncate text-ink-2 xl:table-cell">{study.studentNetwork}</Td>
      <Td className="hidden sm:table-cell">
        <RunsCell study={study} />
      </Td>
      <Td>
        <span className="num font-medium">{formatPercent(study.bestMeanTop1)}</span>
        {study.bestVariantLabel && (
          <span className="hidden truncate text-ink-3 text-xs md:block" title={study.bestVariantLabel}>
            {study.bestVariantLabel}
          </span>
        )}
      </Td>
      <Td className="hidden text-ink-2 md:table-cell">
        <span className="relative z-10">
          <RelativeTime at={study.createdAt} />
        </span>
        {study.createdBy && <span className="block truncate text-ink-3 text-xs">by {study.createdBy}</span>}
      </Td>
    </Tr>
  );
}

function RunsCell({ study: { counts, runCount } }: { study: StudyListItem }) {
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  return (
    <>
      <span className="flex items-center gap-2.5">
        <span className="relative z-10 flex min-w-8 grow">
          <StatusCountsBar counts={counts} />
        </span>
        <span className="num shrink-0 text-ink-2 text-xs">
          {ended}/{runCount}
        </span>
      </span>
      {counts.failed > 0 && <span className="block text-bad text-xs">{counts.failed} failed</span>}
    </>
  );
}
