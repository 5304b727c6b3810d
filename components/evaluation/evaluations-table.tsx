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
          <Th>Dataset</Th>
          <Th align="right">Size</Th>
          <Th>Status</Th>
          <Th align="right">Top-1</Th>
          <Th align="right">Expected</Th>
          <Th align="right">Difference</Th>
          <Th align="right">Top-5</Th>
          <Th align="right">Expected</Th>
          <Th align="right">Loss</Th>
          <Th>Created</Th>
          {canEdit && (
            <Th>
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
  // The label repeats what has columns of its own.
  const name = run.variantLabel.split(' · ').slice(0, -2).join(' · ') || run.variantLabel;
  return (
    <Tr className="hover:bg-hover">
      <Td className="min-w-52">
        <Link href={`/runs/${run.id}`} className="break-words font-medium hover:text-accent hover:underline">
          {name}
        </Link>
        <span className="block text-ink-3 text-xs">
          {source.kind === 'pretrained' ? 'published' : 'checkpoint'} · {run.network}
        </span>
      </Td>
      <Td className="text-ink-2">{dataset}</Td>
      <Td align="right" className="num whitespace-nowrap">
        {run.inputSize} px
      </Td>
      <Td className="min-w-28">
        <StatusText status={shownStatus(run)} />
        {isActive(run.status) && <RunStepsBar run={run} className="mt-1" />}
      </Td>
      <Td align="right" className="num font-semibold">
        {formatPercent(top1)}
      </Td>
      <Td align="right" className="num text-ink-2">
        <Expected value={expected?.top1} at={sameSize ? null : (expected?.inputSize ?? null)} />
      </Td>
      <Td align="right" className="num">
        {formatDifference(difference)}
      </Td>
      <Td align="right" className="num">
        {formatPercent(top5)}
      </Td>
      <Td align="right" className="num text-ink-2">
        {formatPercent(expected?.top5)}
      </Td>
      <Td align="right" className="num">
        {loss === null ? NONE : loss.toFixed(4)}
      </Td>
      <Td className="whitespace-nowrap text-ink-2">
        <RelativeTime at={run.createdAt} />
      </Td>
      {canEdit && (
        <Td align="right">
          <RemoveButton runId={run.id} name={name} disabled={isActive(run.status)} />
        </Td>
      )}
    </Tr>
  );
}

/** @param at the size that the number is for, where it is not the one measured at */
function Expected({ value, at }: { value: number | null | undefined; at: number | null }) {
  return (
    <>
      {formatPercent(value)}
      {value != null && at !== null && <span className="block whitespace-nowrap text-2xs text-ink-3">at {at} px</span>}
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
