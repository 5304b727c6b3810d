'use client';
import type { RunDetailView } from '@mealtable/protocol/views';
import { CopyPlus, Download, Ellipsis, Pause, Play, RotateCcw, Square } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { PointsMenu } from '../chart/points-menu';
import { EpochsDialog } from '../queue/epochs-dialog';
import { RequirementsDialog } from '../queue/requirements-dialog';
import { RunMenuItems, sortForControl } from '../queue/run-menu-items';
import { useRunControl } from '../queue/use-run-control';
import { Button, DownloadButton, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { bestModelFile } from './best-model-file';

export function RunActions({ run }: { run: RunDetailView }) {
  const { canEdit } = useMe();
  const [asking, setAsking] = useState<'cancel' | 'requirements' | 'epochs' | null>(null);
  const close = () => setAsking(null);
  const control = useRunControl(close);
  const best = bestModelFile(run);
  const can = sortForControl([run]);
  const ids = [run.id];
  return (
    <>
      {canEdit && can.retryable.length > 0 && (
        <Button onClick={() => control.retry.mutate({ ids })} busy={control.retry.isPending}>
          <RotateCcw aria-hidden /> Retry
        </Button>
      )}
      {canEdit && can.pausable.length > 0 && (
        <Button onClick={() => control.pause.mutate({ ids })} busy={control.pause.isPending}>
          <Pause aria-hidden /> Pause
        </Button>
      )}
      {canEdit && can.resumable.length > 0 && (
        <Button onClick={() => control.resume.mutate({ ids })} busy={control.resume.isPending}>
          <Play aria-hidden /> {run.heldAt === null ? 'Go on after all' : 'Resume'}
        </Button>
      )}
      {canEdit && can.cancellable.length > 0 && (
        <Button onClick={() => setAsking('cancel')}>
          <Square aria-hidden /> Cancel run
        </Button>
      )}
      {best && (
        <DownloadButton href={best.url} variant="primary">
          <Download aria-hidden /> Download best checkpoint
        </DownloadButton>
      )}
      <PointsMenu of={`/api/runs/${run.id}/metrics`} />
      {canEdit && run.role !== 'evaluation' && (
        <Menu
          trigger={
            <IconButton label="More actions" variant="secondary">
              <Ellipsis aria-hidden />
            </IconButton>
          }
        >
          <MenuItem asChild>
            <Link href={`/studies/new?from=${run.studyId}&run=${run.id}`}>
              <CopyPlus aria-hidden /> Clone as a study
            </Link>
          </MenuItem>
          <MenuSeparator />
          <RunMenuItems
            runs={[run]}
            onPriority={(priority) => control.prioritise.mutate({ ids, priority })}
            onRequirements={() => setAsking('requirements')}
            onEpochs={() => setAsking('epochs')}
          />
        </Menu>
      )}
      <ConfirmDialog
        open={asking === 'cancel'}
        onOpenChange={close}
        title="Cancel this run?"
        confirmLabel="Cancel the run"
        keepLabel="Keep it"
        busy={control.cancel.isPending}
        onConfirm={() => control.cancel.mutate({ ids })}
      >
        <p>
          {run.role === 'evaluation'
            ? 'Its trainer is asked to stop. A later retry begins anew.'
            : 'Its trainer is asked to stop. Points, log and checkpoints so far stay; a later retry goes on from the latest checkpoint.'}
        </p>
        {run.role !== 'evaluation' && <p>Runs that wait for this one fail.</p>}
      </ConfirmDialog>
      {asking === 'requirements' && <RequirementsDialog runs={[run]} onClose={close} onDone={close} />}
      {asking === 'epochs' && <EpochsDialog studyId={run.studyId} runs={[run]} onClose={close} onDone={close} />}
    </>
  );
}
