'use client';
import { differenceTo } from '@mealtable/protocol/evaluation';
import { isActive } from '@mealtable/protocol/statuses';
import type { EvaluationView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import Link from 'next/link';
import { formatDifference, formatPercent, NONE } from '../format';
import { RunStepsBar } from '../run/run-steps-bar';
import { useTRPC } from '../trpc-provider';
import { IconButton } from '../ui/button';
import { StatusText } from '../ui/status-badge';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';
import { shownStatus } from '../words';

/** Measured beside published, newest first. */
export function EvaluationsTable({ evaluations, canEdit }: { evaluations: EvaluationView[]; canEdit: boolean }) {
  return (
    <Table label="Evaluations">
      <thead>
        <tr>
          <Th>Weights</Th>
          <Th className="hidden lg:table-cell">Dataset</Th>
          <Th align="right" className="hidden lg:table-cell">
            Size
          </Th>
          <Th className="hidden sm:table-cell">Status</Th>
          <Th align="right">Top-1</Th>
          <Th align="right">Published</Th>
          <Th align="right">
            <span className="hidden sm:inline">Difference</span>
            <span className="sm:hidden">Diff.</span>
          </Th>
          <Th align="right" className="hidden md:table-cell">
            Top-5
          </Th>
          <Th align="right" className="hidden xl:table-cell">
            Published
          </Th>
          <Th align="right" className="hidden xl:table-cell">
            Loss
          </Th>
          <Th className="hidden xl:table-cell">Created</Th>
          {canEdit && (
            <Th className="hidden sm:table-cell">
              <span className="sr-only">Remove</span>
            </Th>
          )}
        </tr>
      </thead>
      <tbody>
        {evaluations.map((evaluation) => (
          <EvaluationRow key={evaluation.run.id} evaluation={evaluation} canEdit={canEdit} />
        ))}
      </tbody>
    </Table>
  );
}

function EvaluationRow({ evaluation, canEdit }: { evaluation: EvaluationView; canEdit: boolean }) {
  const { run, source, dataset, top1, top5, loss, expected } = evaluation;
  const sameSize = expected?.inputSize === run.inputSize;
  const difference = differenceTo(top1, expected?.top1 ?? null, sameSize);
  const remark = [source.kind === 'run' && 'in its run', expected && !sameSize && `at ${expected.inputSize} px`]
    .filter(Boolean)
    .join(', ');
  // The label repeats what has columns of its own.
  const name = run.variantLabel.split(' · ').slice(0, -2).join(' · ') || run.variantLabel;
  return (
    <Tr className="hover:bg-hover">
      <Td className="min-w-32">
        <Link href={`/runs/${run.id}`} className="wrap-anywhere font-medium hover:text-accent hover:underline">
          {name}
        </Link>
        <span className="block text-ink-3 text-xs">
          <span className="lg:hidden">
            {dataset} · {run.inputSize} px ·{' '}
          </span>
          {source.kind === 'pretrained' ? 'published' : run.network}
        </span>
        <span className="mt-1 block text-xs sm:hidden">
          <StatusText status={shownStatus(run)} />
        </span>
      </Td>
      <Td className="hidden text-ink-2 lg:table-cell">{dataset}</Td>
      <Td align="right" className="num hidden whitespace-nowrap lg:table-cell">
        {run.inputSize} px
      </Td>
      <Td className="hidden min-w-28 sm:table-cell">
        <StatusText status={shownStatus(run)} />
        {isActive(run.status) && <RunStepsBar run={run} className="mt-1" />}
      </Td>
      <Td align="right" className="num font-semibold">
        {formatPercent(top1)}
      </Td>
      <Td align="right" className="num text-ink-2">
        <Expected value={expected?.top1} remark={remark} />
      </Td>
      <Td align="right" className="num">
        {formatDifference(difference)}
      </Td>
      <Td align="right" className="num hidden md:table-cell">
        {formatPercent(top5)}
      </Td>
      <Td align="right" className="num hidden text-ink-2 xl:table-cell">
        {formatPercent(expected?.top5)}
      </Td>
      <Td align="right" className="num hidden xl:table-cell">
        {loss === null ? NONE : loss.toFixed(4)}
      </Td>
      <Td className="hidden whitespace-nowrap text-ink-2 xl:table-cell">
        <RelativeTime at={run.createdAt} />
      </Td>
      {canEdit && (
        <Td align="right" className="hidden sm:table-cell">
          <RemoveButton runId={run.id} name={name} disabled={isActive(run.status)} />
        </Td>
      )}
    </Tr>
  );
}

/** @param remark where the number is from, if it is not of the publication at the size measured at */
function Expected({ value, remark }: { value: number | null | undefined; remark: string }) {
  return (
    <>
      {formatPercent(value)}
      {value != null && remark !== '' && (
        <span className="block whitespace-nowrap font-sans text-2xs text-ink-3">{remark}</span>
      )}
    </>
  );
}

function RemoveButton({ runId, name, disabled }: { runId: string; name: string; disabled: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const remove = useMutation(
    trpc.evaluations.remove.mutationOptions({
      onSettled: () => queryClient.invalidateQueries(trpc.evaluations.list.queryFilter()),
      onError: (error) => toastError('The evaluation was not removed', error),
    }),
  );
  return (
    <IconButton
      label={disabled ? 'Cancel it first, then remove it' : `Remove the evaluation of ${name}`}
      size="sm"
      disabled={disabled}
      busy={remove.isPending}
      onClick={() => remove.mutate({ id: runId })}
    >
      <Trash2 aria-hidden />
    </IconButton>
  );
}
