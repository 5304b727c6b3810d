'use client';
import type { TableRun } from '@mealtable/protocol/run-query-view';
import { Ellipsis, Pause, Play, RotateCcw, Square, X } from 'lucide-react';
import { useState } from 'react';
import { formatCount, plural } from '../format';
import { Button, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Menu } from '../ui/menu';
import { EpochsDialog } from './epochs-dialog';
import { RequirementsDialog } from './requirements-dialog';
import { RunMenuItems, sortForControl } from './run-menu-items';
import { useRunControl } from './use-run-control';

interface BulkBarProps {
  /** The selected ones. */
  runs: readonly TableRun[];
  /** Drops the selection. */
  onDone: () => void;
}

const idsOf = (runs: readonly TableRun[]) => runs.map((run) => run.id);

/** What can be done to the selected runs; each button says how many of them it concerns. */
export function BulkBar({ runs, onDone }: BulkBarProps) {
  const [asking, setAsking] = useState<'cancel' | 'requirements' | 'epochs' | null>(null);
  const close = () => setAsking(null);
  const finish = () => {
    close();
    onDone();
  };
  const control = useRunControl(finish);
  const { cancellable, pausable, resumable, retryable, wishable, extendable } = sortForControl(runs);
  return (
    <div role="toolbar" aria-label="Selected runs" className="flex flex-wrap items-center gap-2">
      <span className="text-ink-2 text-sm">{formatCount(runs.length)} selected</span>
      {pausable.length > 0 && (
        <Button size="sm" busy={control.pause.isPending} onClick={() => control.pause.mutate({ ids: idsOf(pausable) })}>
          <Pause aria-hidden /> Pause {formatCount(pausable.length)}
        </Button>
      )}
      {resumable.length > 0 && (
        <Button
          size="sm"
          busy={control.resume.isPending}
          onClick={() => control.resume.mutate({ ids: idsOf(resumable) })}
        >
          <Play aria-hidden /> Resume {formatCount(resumable.length)}
        </Button>
      )}
      {retryable.length > 0 && (
        <Button
          size="sm"
          busy={control.retry.isPending}
          onClick={() => control.retry.mutate({ ids: idsOf(retryable) })}
        >
          <RotateCcw aria-hidden /> Retry {formatCount(retryable.length)}
        </Button>
      )}
      {cancellable.length > 0 && (
        <Button size="sm" onClick={() => setAsking('cancel')}>
          <Square aria-hidden /> Cancel {plural(cancellable.length, 'run')}
        </Button>
      )}
      <Menu
        trigger={
          <IconButton label="More for the selected runs" size="sm" variant="secondary">
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        <RunMenuItems
          runs={runs}
          onPriority={(priority) => control.prioritise.mutate({ ids: idsOf(wishable), priority })}
          onRequirements={() => setAsking('requirements')}
          onEpochs={() => setAsking('epochs')}
        />
      </Menu>
      <IconButton label="Select none" size="sm" onClick={onDone}>
        <X aria-hidden />
      </IconButton>
      <ConfirmDialog
        open={asking === 'cancel'}
        onOpenChange={close}
        title={`Cancel ${plural(cancellable.length, 'run')}?`}
        confirmLabel={`Cancel ${plural(cancellable.length, 'run')}`}
        keepLabel="Keep them"
        busy={control.cancel.isPending}
        onConfirm={() => control.cancel.mutate({ ids: idsOf(cancellable) })}
      >
        <p>Queued runs are taken out of the queue, running trainers are asked to stop. What has been recorded stays.</p>
      </ConfirmDialog>
      {asking === 'requirements' && <RequirementsDialog runs={wishable} onClose={close} onDone={finish} />}
      {asking === 'epochs' && (
        <EpochsDialog studyId={extendable[0]?.studyId ?? ''} runs={extendable} onClose={close} onDone={finish} />
      )}
    </div>
  );
}
