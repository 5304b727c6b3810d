'use client';
import { LABELS_ENDING } from '@mealtable/protocol/records';
import { isEnded } from '@mealtable/protocol/statuses';
import type { CheckpointView, RunDetailView } from '@mealtable/protocol/views';
import { Tags } from 'lucide-react';
import { formatBytes, formatCount } from '../format';
import { Badge } from '../ui/badge';
import { EmptyState } from '../ui/empty-state';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';

/** What a run that labels has left at the hub: hosts fetch it, people have nothing to do with it. */
export function LabelsTab({ run }: { run: RunDetailView }) {
  if (run.checkpoints.length === 0)
    return (
      <EmptyState icon={Tags} title={isEnded(run.status) ? 'No labels were stored' : 'No labels stored yet'}>
        {!isEnded(run.status) && 'They come to the hub in files, the first one within minutes.'}
      </EmptyState>
    );
  return (
    <div className="space-y-3">
      <p className="text-ink-2 text-sm">
        Hosts that train with these labels fetch them by themselves, each file once and checked by its hash.
      </p>
      <Table label="Stored labels">
        <thead>
          <tr>
            <Th>Stored</Th>
            <Th align="right">Views of each image</Th>
            <Th align="right">Files</Th>
            <Th align="right">Size</Th>
            <Th>Saved</Th>
          </tr>
        </thead>
        <tbody>
          {run.checkpoints
            .toSorted((a, b) => b.stepsCompleted - a.stepsCompleted)
            .map((checkpoint) => (
              <LabelsRow key={checkpoint.id} checkpoint={checkpoint} views={run.epochs} />
            ))}
        </tbody>
      </Table>
    </div>
  );
}

function LabelsRow({ checkpoint, views }: { checkpoint: CheckpointView; views: number }) {
  const files = checkpoint.files.filter(({ name }) => name.endsWith(LABELS_ENDING));
  return (
    <Tr>
      <Td>
        <span className="flex flex-wrap gap-1">
          {checkpoint.isLatest && <Badge tone="accent">Latest</Badge>}
          {checkpoint.complete && checkpoint.epoch >= views && <Badge tone="good">All</Badge>}
          {!checkpoint.complete && <Badge tone="warn">Uploading</Badge>}
        </span>
      </Td>
      <Td align="right" className="num">
        {Number(checkpoint.epoch.toFixed(2))} of {formatCount(views)}
      </Td>
      <Td align="right" className="num">
        {formatCount(files.length)}
      </Td>
      <Td align="right" className="num whitespace-nowrap">
        {formatBytes(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}
      </Td>
      <Td className="text-ink-2">
        <RelativeTime at={checkpoint.createdAt} />
      </Td>
    </Tr>
  );
}
