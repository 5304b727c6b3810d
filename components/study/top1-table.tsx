'use client';
import type { PublishedStudyName } from '@mealtable/protocol/published-studies';
import type { Top1Row as Row, StudyView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Table2 } from 'lucide-react';
import { Fragment, memo, useMemo, useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { EmptyState } from '../ui/empty-state';
import { Section } from '../ui/panel';
import { Table, Th } from '../ui/table';
import { toastError } from '../ui/toast';
import { Tip } from '../ui/tooltip';
import { ROLE_HEADINGS } from '../words';
import { CopyTableMenu } from './copy-table-menu';
import { PublishedRow } from './published-row';
import { toCsv, toLatex, toMarkdown } from './table-export';
import { groupRows, valueRange } from './top1-groups';
import { Top1Row } from './top1-row';

const COLUMNS = 9;

interface Top1TableProps {
  studyId: string;
  rows: readonly Row[];
  /** Whose published result stands below the study's own. */
  reproduces: PublishedStudyName | undefined;
  canEdit: boolean;
}

/** Not drawn anew for a run's progress, only when a row changed. */
export const Top1Table = memo(function Top1Table({ studyId, rows, reproduces, canEdit }: Top1TableProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const setReference = useReference(studyId);
  const groups = useMemo(() => groupRows(rows), [rows]);
  const range = valueRange(rows);
  const reference = rows.find((row) => row.isReference);
  const toggle = (id: string) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const copy = { rows: groups.flatMap((group) => group.rows), reproduces };

  return (
    <Section
      title="Top-1"
      hint={
        reference
          ? `Percent on the validation images, best epoch of each run; mean ± sample standard deviation over seeds. Difference to: ${reference.label}.`
          : 'Percent on the validation images, best epoch of each run; mean ± sample standard deviation over seeds. Choose a reference to see differences.'
      }
      actions={
        copy.rows.length > 0 && (
          <CopyTableMenu csv={() => toCsv(copy)} markdown={() => toMarkdown(copy)} latex={() => toLatex(copy)} />
        )
      }
    >
      {groups.length === 0 ? (
        <EmptyState icon={Table2} title="No variants" />
      ) : (
        <Table label="Top-1 by variant">
          <thead>
            <tr>
              <Th className="hidden w-10 pr-0 sm:table-cell">
                <Tip text="The reference that differences are taken to">
                  <span>Ref.</span>
                </Tip>
              </Th>
              <Th className="sm:pl-1.5">Teachers or network</Th>
              <Th className="hidden md:table-cell">Discriminator</Th>
              <Th align="right" className="hidden md:table-cell">
                Size
              </Th>
              <Th align="right" className="hidden md:table-cell">
                <Tip text="Seeds that succeeded, of all">
                  <span>n</span>
                </Tip>
              </Th>
              <Th className="hidden w-40 md:table-cell">Seeds</Th>
              <Th align="right" className="sm:pr-[calc(7.5ch+12px)]">
                Top-1
              </Th>
              <Th align="right" className="hidden md:table-cell">
                <Tip text="Median over seeds of the epoch with the highest top-1">
                  <span>Best epoch</span>
                </Tip>
              </Th>
              <Th align="right">
                <Tip text="Mean of the paired differences over the seeds that both have, in points, with the 95 % interval of Student’s t">
                  <span>
                    Difference<span className="hidden lg:inline"> to reference</span>
                  </span>
                </Tip>
              </Th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <Fragment key={group.role}>
                <tr>
                  <th
                    scope="colgroup"
                    colSpan={COLUMNS}
                    className="border-b bg-sunken/60 px-3 py-1.5 text-left font-semibold text-ink-2 text-xs"
                  >
                    {ROLE_HEADINGS[group.role]}
                  </th>
                </tr>
                {group.rows.map((row) => (
                  <Top1Row
                    key={row.variantId}
                    row={row}
                    range={range}
                    isOpen={open.has(row.variantId)}
                    onToggle={() => toggle(row.variantId)}
                    onReference={canEdit ? () => setReference(row.variantId) : undefined}
                    columns={COLUMNS}
                  />
                ))}
              </Fragment>
            ))}
            {reproduces && <PublishedRow name={reproduces} columns={COLUMNS} />}
          </tbody>
        </Table>
      )}
    </Section>
  );
});

/** Moves the mark at once; the differences follow with the hub's answer. */
function useReference(studyId: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const queryKey = trpc.studies.get.queryKey({ id: studyId });
  const { mutate } = useMutation(
    trpc.studies.setReference.mutationOptions({
      onMutate: ({ variantId }) =>
        queryClient.setQueryData<StudyView>(
          queryKey,
          (old) =>
            old && {
              ...old,
              referenceVariantId: variantId,
              rows: old.rows.map((row) => ({ ...row, isReference: row.variantId === variantId })),
            },
        ),
      onError: (error) => toastError('The reference was not changed', error),
      onSettled: () => queryClient.invalidateQueries({ queryKey }),
    }),
  );
  return (variantId: string) => mutate({ id: studyId, variantId });
}
