'use client';
import { FORMAT_WORDS, type ModelExportView } from '@mealtable/protocol/exports';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, CircleAlert, Download, LoaderCircle } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { describeError } from '../api-error';
import { formatBytes } from '../format';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { Popover } from '../ui/popover';
import { SkeletonRows } from '../ui/skeleton';
import { prepareExport, startDownload } from './prepare-export';

/** While another one makes the same. */
const POLL_MS = 2_000;

/** A checkpoint's model in every format. What is not there yet is made, and then downloaded. */
export function ExportMenu({ checkpointId, of, children }: { checkpointId: string; of: string; children?: string }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover
      label={`Formats of ${of}`}
      open={isOpen}
      onOpenChange={setIsOpen}
      trigger={
        <Button size="sm" aria-label={`Formats of ${of}`}>
          <Download aria-hidden /> {children ?? 'Formats'} <ChevronDown aria-hidden className="text-ink-3" />
        </Button>
      }
    >
      <Formats checkpointId={checkpointId} />
    </Popover>
  );
}

function Formats({ checkpointId }: { checkpointId: string }) {
  const trpc = useTRPC();
  const query = useQuery(
    trpc.exports.ofCheckpoint.queryOptions(
      { id: checkpointId },
      {
        refetchInterval: ({ state: { data } }) => (data?.some(({ state }) => state === 'running') ? POLL_MS : false),
      },
    ),
  );
  if (query.isError) return <p className="text-bad text-sm">{describeError(query.error)}</p>;
  if (!query.data) return <SkeletonRows rows={5} label="the formats" />;
  return (
    <>
      <ul className="-m-1.5">
        {query.data.map((view) => (
          <li key={view.format}>
            <Format view={view} checkpointId={checkpointId} />
          </li>
        ))}
      </ul>
      <p className="mt-3 border-t pt-2 text-ink-3 text-xs">
        Other formats are made when they are first asked for, which takes seconds to a minute, and kept.
      </p>
    </>
  );
}

const WEIGHTS_WORDS = { name: 'safetensors', readBy: 'PyTorch, with timm’s key names' };
const rowClass =
  'grid w-full grid-cols-[1fr_auto] items-center gap-x-3 rounded-[5px] px-2 py-1.5 text-left outline-none hover:bg-hover focus-visible:bg-hover disabled:pointer-events-none pointer-coarse:min-h-11';

function Format({ view, checkpointId }: { view: ModelExportView; checkpointId: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const making = useMutation({
    mutationFn: () => prepareExport(view.url),
    onSuccess: () => startDownload(view.url),
    onSettled: () => queryClient.invalidateQueries(trpc.exports.ofCheckpoint.queryFilter({ id: checkpointId })),
  });
  const { name, readBy } = view.format === 'safetensors' ? WEIGHTS_WORDS : FORMAT_WORDS[view.format];
  const isRunning = making.isPending || view.state === 'running';
  const reason = making.error?.message ?? view.reason;
  const words = (
    <span className="min-w-0">
      <span className="block font-medium text-sm">{name}</span>
      <span className="block text-ink-3 text-xs">{readBy}</span>
    </span>
  );
  if (view.state === 'ready')
    return (
      <a href={view.url} download title={`SHA-256 ${view.sha256}`} className={rowClass}>
        {words}
        <Aside icon={Download}>
          <span className="num">{formatBytes(view.sizeBytes ?? 0)}</span>
        </Aside>
      </a>
    );
  const isUnavailable = view.state === 'unavailable';
  const hasFailed = !isRunning && !isUnavailable && reason !== null;
  return (
    <>
      <button
        type="button"
        disabled={isUnavailable}
        aria-busy={isRunning || undefined}
        onClick={() => !isRunning && making.mutate()}
        className={cn(rowClass, isUnavailable && 'opacity-60')}
      >
        {words}
        <span aria-live="polite">
          {isRunning ? (
            <Aside icon={LoaderCircle} spins>
              Making it
            </Aside>
          ) : (
            <Aside icon={isUnavailable ? null : Download}>
              {hasFailed ? 'Try again' : isUnavailable ? 'Not offered' : 'Make'}
            </Aside>
          )}
        </span>
      </button>
      {reason !== null && !isRunning && (
        <p
          role={hasFailed ? 'alert' : undefined}
          className={cn('flex gap-1.5 px-2 pb-1.5 text-xs', hasFailed ? 'text-bad' : 'text-ink-3')}
        >
          {hasFailed && <CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />}
          <span className="min-w-0 break-words">{reason}</span>
        </p>
      )}
    </>
  );
}

function Aside(props: { icon: typeof Download | null; spins?: boolean; children: ReactNode }) {
  const { icon: Icon, spins, children } = props;
  return (
    <span className="flex items-center gap-1.5 whitespace-nowrap text-ink-2 text-xs">
      {children}
      {Icon && <Icon aria-hidden className={cn('size-3.5 text-accent', spins && 'animate-spin')} />}
    </span>
  );
}
