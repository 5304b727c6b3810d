'use client';
import type { TableRun } from '@mealtable/protocol/run-query-view';
import { isActive, isEnded, type RunStatus } from '@mealtable/protocol/statuses';
import { ListPlus, SlidersHorizontal } from 'lucide-react';
import { MenuItem, MenuLabel, MenuRadio, MenuSeparator } from '../ui/menu';
import { PRIORITIES } from '../words';

/** Which of the selected runs each action concerns. */
export function sortForControl(runs: readonly TableRun[]) {
  const isStopping = (run: TableRun) => run.cancelRequestedAt !== null;
  const isPaused = (run: TableRun) =>
    (run.status === 'queued' && run.heldAt !== null) || (isActive(run.status) && run.pauseRequestedAt !== null);
  const hasStatus =
    (...statuses: RunStatus[]) =>
    (run: TableRun) =>
      statuses.includes(run.status);
  return {
    cancellable: runs.filter((run) => !isEnded(run.status) && !isStopping(run)),
    pausable: runs.filter((run) => !isEnded(run.status) && !isStopping(run) && !isPaused(run)),
    resumable: runs.filter((run) => isPaused(run) && !isStopping(run)),
    retryable: runs.filter(hasStatus('failed', 'cancelled')),
    wishable: runs.filter((run) => run.status !== 'succeeded'),
    extendable: runs.filter((run) => run.task === 'classification' || run.task === 'distillation'),
  };
}

interface RunMenuItemsProps {
  runs: readonly TableRun[];
  onPriority: (priority: number) => void;
  onRequirements: () => void;
  onEpochs: () => void;
}

/** What a menu offers for one run or several, beside the buttons. */
export function RunMenuItems({ runs, onPriority, onRequirements, onEpochs }: RunMenuItemsProps) {
  const { wishable, extendable } = sortForControl(runs);
  const priorities = new Set(wishable.map((run) => run.priority));
  const isOneStudy = new Set(runs.map((run) => run.studyId)).size === 1;
  return (
    <>
      {wishable.length > 0 && (
        <>
          <MenuLabel>Priority</MenuLabel>
          <MenuRadio
            value={priorities.size === 1 ? String([...priorities][0]) : ''}
            onChange={(value) => onPriority(Number(value))}
            options={PRIORITIES.map(({ value, word }) => ({ value: String(value), label: word }))}
          />
          <MenuSeparator />
          <MenuItem icon={<SlidersHorizontal aria-hidden />} onSelect={onRequirements}>
            What it needs of a host…
          </MenuItem>
        </>
      )}
      {extendable.length > 0 && extendable.length === runs.length && isOneStudy && (
        <MenuItem icon={<ListPlus aria-hidden />} onSelect={onEpochs}>
          More epochs…
        </MenuItem>
      )}
    </>
  );
}
