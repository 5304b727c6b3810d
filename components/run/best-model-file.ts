import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { CheckpointView, RunDetailView } from '@mealtable/protocol/views';

/** @returns the weights file of the best checkpoint that has fully arrived, or null */
export function bestModelFile(run: Pick<RunDetailView, 'checkpoints'>): CheckpointView['files'][number] | null {
  const best = run.checkpoints.find((checkpoint) => checkpoint.isBest && checkpoint.complete);
  return best?.files.find((file) => file.name === CHECKPOINT_FILES.model) ?? null;
}
