'use client';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { CheckpointStatusView } from '@mealtable/protocol/retention';
import { isEnded } from '@mealtable/protocol/statuses';
import type { CheckpointView, RunDetailView } from '@mealtable/protocol/views';
import { Download, Gauge, Save } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { formatBytes, formatCount, formatPercent } from '../format';
import { Badge } from '../ui/badge';
import { CopyButton } from '../ui/copy-button';
import { EmptyState } from '../ui/empty-state';
import { Switch } from '../ui/switch';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { Arrival } from './arrival';
import { DownloadCommands } from './download-commands';
import { ExportMenu } from './export-menu';
import { describeRule, KeptBecause } from './kept-because';
import { useCheckpointStatus } from './use-checkpoint-status';

export function CheckpointsTab({ run }: { run: RunDetailView }) {
  const [showsAllFiles, setShowsAllFiles] = useState(false);
  const status = useCheckpointStatus(run);
  if (run.checkpoints.length === 0)
    return (
      <EmptyState icon={Save} title={isEnded(run.status) ? 'No checkpoint was saved' : 'No checkpoint yet'}>
        {!isEnded(run.status) && 'One is saved after each epoch; the best and the latest are kept.'}
      </EmptyState>
    );
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
            <Th>Kept</Th>
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
              <CheckpointRows
                key={checkpoint.id}
                checkpoint={checkpoint}
                showsAllFiles={showsAllFiles}
                status={status}
              />
            ))}
        </tbody>
      </Table>
      {status && (
        <p className="text-ink-3 text-xs">
          Of this run {describeRule(status.rule)} are kept{' '}
          {status.isOwnRule ? 'as its study says' : 'as this hub does by default'}, besides what is on its way or
          needed.{' '}
          <Link href={`/studies/${run.studyId}`} className="text-accent hover:underline">
            Change it at the study
          </Link>
          , under More actions.
        </p>
      )}
      <Switch
        label="Show the files for resuming"
        hint="Optimiser, discriminator and progress: what the trainer goes on from."
        checked={showsAllFiles}
        onChange={setShowsAllFiles}
      />
      <DownloadCommands run={run} />
    </div>
  );
}

function CheckpointRows({
  checkpoint,
  showsAllFiles,
  status,
}: {
  checkpoint: CheckpointView;
  showsAllFiles: boolean;
  status: CheckpointStatusView | undefined;
}) {
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
              {!checkpoint.complete && <Badge tone="warn">Uploading {percentArrived(checkpoint, status)}</Badge>}
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
          <Td className="text-ink-2 text-xs">
            <KeptBecause reasons={status?.kept[checkpoint.id]} />
          </Td>
        </>
      ) : (
        <td colSpan={6} />
      )}
      <Td className="num text-xs">{file.name}</Td>
      <Td align="right" className="num whitespace-nowrap text-xs">
        {status?.arriving[file.sha256] === undefined ? (
          formatBytes(file.sizeBytes)
        ) : (
          <Arrival name={file.name} arrived={status.arriving[file.sha256] ?? 0} sizeBytes={file.sizeBytes} />
        )}
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
        {checkpoint.complete && file.name === CHECKPOINT_FILES.model && (
          <ExportMenu checkpointId={checkpoint.id} of={`the checkpoint of epoch ${checkpoint.epoch}`} />
        )}
      </Td>
    </Tr>
  ));
}

/** Also where the sizes are out of sight on a narrow screen. */
function percentArrived({ files }: CheckpointView, status: CheckpointStatusView | undefined): string {
  if (!status) return '';
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const arrived = files.reduce((sum, { sha256, sizeBytes }) => sum + (status.arriving[sha256] ?? sizeBytes), 0);
  return `${Math.floor((100 * arrived) / Math.max(1, total))} %`;
}
