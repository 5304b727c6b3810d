'use client';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { isEnded } from '@mealtable/protocol/statuses';
import type { CheckpointView, RunDetailView } from '@mealtable/protocol/views';
import { Download, Gauge, Save } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { formatBytes, formatCount, formatPercent } from '../format';
import { Badge } from '../ui/badge';
import { CopyBlock, CopyButton } from '../ui/copy-button';
import { EmptyState } from '../ui/empty-state';
import { Panel } from '../ui/panel';
import { Switch } from '../ui/switch';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { bestModelFile } from './best-model-file';

export function CheckpointsTab({ run }: { run: RunDetailView }) {
  const [showsAllFiles, setShowsAllFiles] = useState(false);
  if (run.checkpoints.length === 0)
    return (
      <EmptyState icon={Save} title={isEnded(run.status) ? 'No checkpoint was saved' : 'No checkpoint yet'}>
        {!isEnded(run.status) && 'One is saved after each epoch; the best and the latest are kept.'}
      </EmptyState>
    );
  const best = bestModelFile(run);
  return (
    <div className="space-y-4">
      <Table label="Checkpoints">
        <thead>
          <tr>
            <Th>Checkpoint</Th>
            <Th align="right">Epoch</Th>
            <Th align="right">Step</Th>
            <Th align="right">Top-1</Th>
            <Th>Saved</Th>
            <Th>File</Th>
            <Th align="right">Size</Th>
            <Th>SHA-256</Th>
            <Th>
              <span className="sr-only">Download and evaluate</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {run.checkpoints
            .toSorted((a, b) => b.stepsCompleted - a.stepsCompleted)
            .map((checkpoint) => (
              <CheckpointRows key={checkpoint.id} checkpoint={checkpoint} showsAllFiles={showsAllFiles} />
            ))}
        </tbody>
      </Table>
      <Switch
        label="Show the files for resuming"
        hint="Optimiser, discriminator and progress: what the trainer goes on from."
        checked={showsAllFiles}
        onChange={setShowsAllFiles}
      />
      {best && (
        <Panel title="From a terminal" hint="The best checkpoint, whichever it is at that moment.">
          <CopyBlock
            label="Copy the command"
            text={`curl --fail --location --remote-header-name --remote-name --header "Authorization: Bearer $MEALTABLE_TOKEN" ${window.location.origin}/api/runs/${run.id}/best/${CHECKPOINT_FILES.model}`}
          />
          <p className="mt-2 text-ink-2 text-sm">
            The token is a program token from{' '}
            <Link href="/settings?tab=tokens" className="text-accent hover:underline">
              Settings, Tokens
            </Link>
            . The weights have timm’s key names: <code className="text-xs">safetensors.torch.load_file</code> reads
            them.
          </p>
        </Panel>
      )}
    </div>
  );
}

function CheckpointRows({ checkpoint, showsAllFiles }: { checkpoint: CheckpointView; showsAllFiles: boolean }) {
  const { canEdit } = useMe();
  const files = checkpoint.files.filter((file) => showsAllFiles || file.name === CHECKPOINT_FILES.model);
  return files.map((file, index) => (
    <Tr key={file.name} className={index < files.length - 1 ? 'border-b-0' : undefined}>
      {index === 0 ? (
        <>
          <Td>
            <span className="flex flex-wrap gap-1">
              {checkpoint.isBest && <Badge tone="good">Best</Badge>}
              {checkpoint.isLatest && <Badge tone="accent">Latest</Badge>}
              {!checkpoint.complete && <Badge tone="warn">Uploading</Badge>}
            </span>
          </Td>
          <Td align="right" className="num">
            {checkpoint.epoch}
          </Td>
          <Td align="right" className="num">
            {formatCount(checkpoint.stepsCompleted)}
          </Td>
          <Td align="right" className="num font-medium">
            {formatPercent(checkpoint.top1)}
          </Td>
          <Td className="text-ink-2">
            <RelativeTime at={checkpoint.createdAt} />
          </Td>
        </>
      ) : (
        <td colSpan={5} />
      )}
      <Td className="num text-xs">{file.name}</Td>
      <Td align="right" className="num whitespace-nowrap text-xs">
        {formatBytes(file.sizeBytes)}
      </Td>
      <Td>
        <span className="flex items-center gap-0.5">
          <code className="text-ink-2 text-xs" title={file.sha256}>
            {file.sha256.slice(0, 12)}…
          </code>
          <CopyButton text={file.sha256} label={`Copy the SHA-256 of ${file.name}`} />
        </span>
      </Td>
      <Td align="right" className="whitespace-nowrap">
        {checkpoint.complete && canEdit && file.name === CHECKPOINT_FILES.model && (
          <Link
            href={`/evaluations?run=${checkpoint.runId}&checkpoint=${checkpoint.id}`}
            aria-label={`Evaluate the checkpoint of epoch ${checkpoint.epoch}`}
            className="inline-flex h-7 items-center gap-1.5 rounded-control px-2 font-medium text-accent text-xs hover:bg-hover pointer-coarse:h-9"
          >
            <Gauge aria-hidden className="size-3.5" /> Evaluate
          </Link>
        )}
        {checkpoint.complete && (
          <a
            href={file.url}
            download
            aria-label={`Download ${file.name} of epoch ${checkpoint.epoch}`}
            className="inline-flex h-7 items-center gap-1.5 rounded-control px-2 font-medium text-accent text-xs hover:bg-hover pointer-coarse:h-9"
          >
            <Download aria-hidden className="size-3.5" /> Download
          </a>
        )}
      </Td>
    </Tr>
  ));
}
