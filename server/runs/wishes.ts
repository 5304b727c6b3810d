/** What people wish for a run that has not succeeded: when it is taken, and by which hosts. No status changes by it. */
import type { Tx } from './transaction.ts';

/** Counts for the next claim; what runs is left alone. @returns how many runs changed */
export async function setPriority(tx: Tx, runIds: string[], priority: number): Promise<number> {
  return update(tx, runIds, 'priority = $2', 'priority <> $2', priority);
}

/**
 * @param labels what its host must have @param memoryBytes what a slot must have at least; null for any
 * @returns how many runs changed
 */
export async function setRequirements(
  tx: Tx,
  runIds: string[],
  { labels, memoryBytes }: { labels: readonly string[]; memoryBytes: number | null },
): Promise<number> {
  const differs = '(required_labels <> $2 OR required_memory IS DISTINCT FROM $3)';
  return update(tx, runIds, 'required_labels = $2, required_memory = $3', differs, labels, memoryBytes);
}

async function update(tx: Tx, runIds: string[], set: string, differs: string, ...values: unknown[]): Promise<number> {
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE runs SET ${set} WHERE id IN (SELECT id FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
       AND status <> 'succeeded' AND ${differs} RETURNING id`,
    [runIds, ...values],
  );
  for (const { id } of rows) tx.runChanged(id);
  if (rows.length > 0) tx.nudge(null);
  return rows.length;
}
