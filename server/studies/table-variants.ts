/** What a study's tables are made of, as the database has it. */

import type { TableVariant } from '@mealtable/protocol/top1-table';
import { plannedVariantKey } from '@mealtable/protocol/variant-key';
import type { RunSummaryView } from '@mealtable/protocol/views';
import type { Queryable } from '../runs/summary.ts';
import { loadFinalTests } from './final-tests.ts';

export interface KeyedVariant extends TableVariant {
  key: string;
}

/** What the tables take of a run. */
export type TableRun = Pick<
  RunSummaryView,
  'id' | 'variantId' | 'seed' | 'status' | 'bestTop1' | 'bestEpoch' | 'lastTop1'
>;

/**
 * All variants that have a top-1, in the order of the table whatever the order of the rows in the database.
 * @param runs all of the study's
 */
export async function loadTableVariants(
  db: Queryable,
  studyId: string,
  runs: readonly TableRun[],
): Promise<KeyedVariant[]> {
  const { rows } = await db.query<Omit<KeyedVariant, 'values' | 'variantId' | 'inputSize'> & StoredNames>(
    `SELECT id, key, role, label, levels, network, input_size FROM variants
     WHERE study_id = $1 AND role <> 'labelling' ORDER BY position, key`,
    [studyId],
  );
  const tests = await loadFinalTests(
    db,
    runs.filter((run) => run.status === 'succeeded').map((run) => run.id),
  );
  return rows.map(({ id, input_size, ...variant }) => ({
    ...variant,
    variantId: id,
    inputSize: input_size,
    values: runs
      .filter((run) => run.variantId === id)
      .sort((a, b) => a.seed - b.seed)
      .map((run) => ({
        runId: run.id,
        seed: run.seed,
        status: run.status,
        top1: run.bestTop1,
        epoch: run.bestEpoch,
        last: run.lastTop1,
        testBest: tests.get(run.id)?.best ?? null,
        testLatest: tests.get(run.id)?.latest ?? null,
      })),
  }));
}
interface StoredNames {
  id: string;
  input_size: number;
}

/**
 * The reference when nobody chose one: the student trained alone, else the first student variant.
 * @param variants in the order of the table
 */
export function chooseReference(
  variants: readonly Pick<KeyedVariant, 'variantId' | 'key' | 'role'>[],
  chosenId: string | null,
): string | null {
  const chosen = variants.find((v) => v.variantId === chosenId);
  const alone = variants.find((v) => v.role === 'baseline' && !v.key.startsWith(plannedVariantKey('')));
  return (chosen ?? alone ?? variants.find((v) => v.role === 'student'))?.variantId ?? null;
}
