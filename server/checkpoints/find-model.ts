/** The names that a run's checkpoints have in addresses: `best`, `latest`, `epoch-3`. Exports use them, too. */
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { Queryable } from '../runs/summary.ts';
import { loadCheckpoints, pickBest, pickLatest, type StoredCheckpoint } from './checkpoint-rows.ts';

export type Which = 'best' | 'latest' | { epoch: number };

/** @returns null for what is no such name. Epochs may have decimals: a checkpoint saved at a stop lies within one. */
export function parseWhich(text: string): Which | null {
  if (text === 'best' || text === 'latest') return text;
  const epoch = text.match(/^epoch-(\d{1,7}(?:\.\d{1,6})?)$/)?.[1];
  return epoch === undefined ? null : { epoch: Number(epoch) };
}

/** Of the checkpoints whose files have all arrived and that hold a model; of several at one epoch the last. */
export async function findModel(db: Queryable, runId: string, which: Which): Promise<StoredCheckpoint | undefined> {
  const models = (await loadCheckpoints(db, [runId])).filter(
    (c) => c.complete && c.files.some(({ name }) => name === CHECKPOINT_FILES.model),
  );
  if (which === 'best') return pickBest(models);
  if (which === 'latest') return pickLatest(models);
  // Names of files round to two decimals; an address with those finds the same checkpoint.
  return pickLatest(models.filter(({ epoch }) => Math.abs(epoch - which.epoch) < 0.005));
}

export const explainNoModel = (runId: string, which: Which): string =>
  typeof which === 'string'
    ? `The run ${runId} does not exist or has no complete checkpoint yet.`
    : `The run ${runId} does not exist or has no complete checkpoint of epoch ${which.epoch}: it may have been superseded.`;
