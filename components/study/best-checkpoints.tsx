'use client';
import type { BestCheckpointView } from '@mealtable/protocol/exports';
import { useQuery } from '@tanstack/react-query';
import { PackageOpen } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { formatBytes, formatPercent } from '../format';
import { ExportMenu } from '../run/export-menu';
import { useTRPC } from '../trpc-provider';
import { cn } from '../ui/cn';
import { CopyButton } from '../ui/copy-button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Segmented } from '../ui/segmented';
import { SkeletonRows } from '../ui/skeleton';
import { Table, Td, Th, Tr } from '../ui/table';
import { DownloadAll } from './download-all';

const TITLE = 'Best checkpoints';
/** Checkpoints come after epochs, which take longer. */
const POLL_MS = 60_000;
/** A phone has room for what decides and for the download, which says the rest. */
const WIDE_ONLY = 'max-sm:hidden';

/** Each variant's best checkpoint, or each seed's, to download in every format, and all of them at once. */
export function BestCheckpoints({ study }: { study: { id: string } }) {
  const trpc = useTRPC();
  const [seeds, setSeeds] = useState<'best' | 'all'>('best');
  const query = useQuery(trpc.exports.bestOfStudy.queryOptions({ id: study.id }, { refetchInterval: POLL_MS }));
  if (query.isError)
    return (
      <Section title={TITLE}>
        <ErrorState what={TITLE} error={query.error} onRetry={() => void query.refetch()} />
      </Section>
    );
  if (!query.data)
    return (
      <Section title={TITLE}>
        <SkeletonRows rows={4} label={TITLE} />
      </Section>
    );
  const all = query.data;
  if (all.length === 0)
    return (
      <Section title={TITLE}>
        <EmptyState icon={PackageOpen} title="No checkpoint yet">
          A run saves one after each epoch; the best of each variant is offered here.
        </EmptyState>
      </Section>
    );
  const shown = all.filter(({ isBestOfVariant }) => seeds === 'all' || isBestOfVariant);
  const hasSeveralSeeds = all.some(({ isBestOfVariant }) => !isBestOfVariant);
  return (
    <Section
      title={TITLE}
      hint={
        seeds === 'best' && hasSeveralSeeds
          ? 'Of each variant the seed with the highest top-1.'
          : 'The best of each run.'
      }
      actions={
        <span className="flex flex-wrap items-center gap-2">
          {hasSeveralSeeds && (
            <Segmented
              label="Which seeds"
              value={seeds}
              onChange={setSeeds}
              options={[
                { value: 'best', label: 'Best seed' },
                { value: 'all', label: 'All seeds' },
              ]}
            />
          )}
          <DownloadAll studyId={study.id} seeds={seeds} models={shown} />
        </span>
      }
    >
      <Table label={TITLE}>
        <thead>
          <tr>
            <Th>Variant</Th>
            <Th align="right">Seed</Th>
            <Th align="right">Top-1</Th>
            <Th align="right" className={WIDE_ONLY}>
              Epoch
            </Th>
            <Th align="right" className={WIDE_ONLY}>
              Size
            </Th>
            <Th className={WIDE_ONLY}>SHA-256</Th>
            <Th>
              <span className="sr-only">Download</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {shown.map((model) => (
            <ModelRow key={model.runId} model={model} />
          ))}
        </tbody>
      </Table>
    </Section>
  );
}

function ModelRow({ model }: { model: BestCheckpointView }) {
  const { runId, variantLabel, network, seed, top1, epoch, sizeBytes, sha256, checkpointId } = model;
  return (
    <Tr>
      <Td className="min-w-32 max-w-96 sm:min-w-48">
        <Link href={`/runs/${runId}`} className="break-words font-medium hover:text-accent hover:underline">
          {variantLabel}
        </Link>
        {!variantLabel.includes(network) && <span className="block text-ink-3 text-xs">{network}</span>}
      </Td>
      <Td align="right" className="num">
        {seed}
      </Td>
      <Td align="right" className="num font-medium">
        {formatPercent(top1)}
      </Td>
      <Td align="right" className={cn('num', WIDE_ONLY)}>
        {Number(epoch.toFixed(2))}
      </Td>
      <Td align="right" className={cn('num whitespace-nowrap text-xs', WIDE_ONLY)}>
        {formatBytes(sizeBytes)}
      </Td>
      <Td className={WIDE_ONLY}>
        <span className="flex items-center gap-0.5">
          <code className="text-ink-2 text-xs" title={sha256}>
            {sha256.slice(0, 12)}…
          </code>
          <CopyButton text={sha256} label={`Copy the SHA-256 of ${variantLabel}, seed ${seed}`} />
        </span>
      </Td>
      <Td align="right">
        <ExportMenu checkpointId={checkpointId} of={`${variantLabel}, seed ${seed}`}>
          Download
        </ExportMenu>
      </Td>
    </Tr>
  );
}
