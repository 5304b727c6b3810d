'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { ListOrdered } from 'lucide-react';
import { useRef, useState } from 'react';
import { useMe } from '../account/use-me';
import { formatCount, plural } from '../format';
import { ButtonLink } from '../ui/button';
import { Checkbox } from '../ui/checkbox';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { PageHeader } from '../ui/page-header';
import { SkeletonRows } from '../ui/skeleton';
import { SpacerRow } from '../ui/spacer-row';
import { Table, Th } from '../ui/table';
import { useVirtualRows } from '../ui/use-virtual-rows';
import { BulkBar } from './bulk-bar';
import { QueueRow, ROW_HEIGHT } from './queue-row';
import { useIsNarrow } from './use-is-narrow';
import { useQueue } from './use-queue';

/** All runs that wait, in the order in which they will be taken, each with the reason. */
export function QueueView() {
  const { canEdit } = useMe();
  const body = useRef<HTMLTableSectionElement>(null);
  const isNarrow = useIsNarrow();
  const [count, setCount] = useState(0);
  const { indices, before, after } = useVirtualRows(count, isNarrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide, body);
  const { total, paused, error, retry, itemAt } = useQueue(indices);
  // The number of rows comes with the first page, and the rows in sight say which pages are asked for.
  if (total !== undefined && total !== count) setCount(total);
  const [selected, setSelected] = useState<ReadonlyMap<string, RunSummaryView>>(new Map());
  const loaded = indices.flatMap((index) => itemAt(index) ?? []);
  // What is selected is shown as it is now; what has left the queue is selected no more.
  const current = new Map(loaded.map(({ run }) => [run.id, run]));
  const runs = [...selected.values()].map((run) => current.get(run.id) ?? run);
  const select = (changed: readonly RunSummaryView[], isSelected: boolean) =>
    setSelected((old) => {
      const next = new Map(old);
      for (const run of changed)
        if (isSelected) next.set(run.id, run);
        else next.delete(run.id);
      return next;
    });
  const isAll = loaded.length > 0 && loaded.every(({ run }) => selected.has(run.id));
  return (
    <>
      <PageHeader
        title="Queue"
        lead={
          total === undefined || total === 0
            ? 'Runs that wait for a host.'
            : `${plural(total - paused, 'run')} waiting${paused > 0 ? `, ${formatCount(paused)} paused` : ''}. Taken by priority, then by age.`
        }
      />
      {error && <ErrorState what="The queue" error={error} onRetry={retry} />}
      {!error && total === undefined && <SkeletonRows rows={8} label="the queue" />}
      {total === 0 && (
        <EmptyState icon={ListOrdered} title="Nothing waits" actions={<ButtonLink href="/">Studies</ButtonLink>}>
          Runs of new studies appear here until a host takes them.
        </EmptyState>
      )}
      {total !== undefined && total > 0 && (
        <>
          {canEdit && runs.length > 0 && (
            <div className="sticky top-12 z-20 -mx-1 mb-2 bg-canvas/95 px-1 py-2 backdrop-blur-sm">
              <BulkBar runs={runs} onDone={() => setSelected(new Map())} />
            </div>
          )}
          <Table label="Waiting runs" aria-rowcount={total + 1} className="table-fixed md:min-w-[56rem]">
            <thead>
              <tr>
                {canEdit && (
                  <Th className="w-10">
                    <Checkbox
                      aria-label="Select the runs in sight"
                      checked={isAll || (selected.size > 0 && 'indeterminate')}
                      onChange={(checked) =>
                        select(
                          loaded.map(({ run }) => run),
                          checked,
                        )
                      }
                    />
                  </Th>
                )}
                <Th align="right" className="w-16">
                  Place
                </Th>
                <Th className="md:w-[36%]">Run</Th>
                {!isNarrow && (
                  <>
                    <Th className="w-20">Priority</Th>
                    <Th className="w-24">Age</Th>
                    <Th>Why it waits</Th>
                  </>
                )}
              </tr>
            </thead>
            <tbody ref={body}>
              <SpacerRow height={before} />
              {indices.map((index) => {
                const item = itemAt(index);
                return (
                  <QueueRow
                    key={item?.run.id ?? index}
                    item={item}
                    rowIndex={index + 2}
                    isNarrow={isNarrow}
                    isSelected={item !== undefined && selected.has(item.run.id)}
                    onSelect={canEdit ? ({ run }, isSelected) => select([run], isSelected) : undefined}
                  />
                );
              })}
              <SpacerRow height={after} />
            </tbody>
          </Table>
        </>
      )}
    </>
  );
}
