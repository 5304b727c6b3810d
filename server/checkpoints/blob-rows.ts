/** The rows beside the blob store: a row exists only for a file that is durable, and not longer than its file. */
import type { Hub } from '../context.ts';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';
import { withBlobLock } from './blob-locks.ts';
import { defaultRule, pruneCheckpoints } from './retention.ts';

/**
 * A blob that nothing refers to stays this long after it was last uploaded or asked for: an agent uploads a file, or
 * learns that the hub has it, some time before the record that refers to it arrives.
 */
export const UNREFERENCED_BLOB_MS = 3_600_000;

/** Files of one sweep at most, so that a sweep after a large deletion does not keep the disk busy for long. */
const MAX_SWEPT = 500;

/**
 * Notes that the file is stored. Checkpoints may be complete by it, and older ones superseded.
 * @param kept the latest so many of a run stay beside its best, where its study does not say
 */
export async function recordBlob(hub: CoreHub, sha256: string, sizeBytes: number, kept = 1): Promise<void> {
  await transact(hub, async (tx) => {
    await tx.query(
      `INSERT INTO blobs (sha256, size_bytes) VALUES ($1, $2) ON CONFLICT (sha256) DO UPDATE SET created_at = now()`,
      [sha256, sizeBytes],
    );
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM runs WHERE id IN (SELECT c.run_id FROM checkpoint_files f JOIN checkpoints c ON c.id = f.checkpoint_id
                                        WHERE f.sha256 = $1) ORDER BY id FOR NO KEY UPDATE`,
      [sha256],
    );
    for (const { id } of rows) {
      await pruneCheckpoints(tx, id, defaultRule(kept));
      tx.runChanged(id);
    }
  });
}

/** @returns the size of a stored blob, which is then safe from the sweep for a while; null when there is none */
export async function touchBlob(db: Queryable, sha256: string): Promise<number | null> {
  const { rows } = await db.query<{ size_bytes: string }>(
    'UPDATE blobs SET created_at = now() WHERE sha256 = $1 RETURNING size_bytes',
    [sha256],
  );
  return rows[0] ? Number(rows[0].size_bytes) : null;
}

/**
 * Deletes blobs that no checkpoint refers to, and what was made from those. Row first, file second, under the blob's lock: a crash in between leaves a
 * file without a row, which the next upload of the same content replaces, and never a row without its file.
 * @returns the hashes that are gone
 */
export async function sweepBlobs(
  hub: Pick<Hub, 'pool' | 'blobs'>,
  unreferencedMs: number = UNREFERENCED_BLOB_MS,
): Promise<string[]> {
  const isUnreferenced = `created_at <= now() - $1 * interval '1 millisecond'
    AND NOT EXISTS (SELECT 1 FROM checkpoint_files f WHERE f.sha256 = b.sha256)
    AND NOT EXISTS (SELECT 1 FROM model_exports x WHERE x.sha256 = b.sha256)`;
  await hub.pool.query(
    `DELETE FROM model_exports x WHERE created_at <= now() - $1 * interval '1 millisecond'
       AND NOT EXISTS (SELECT 1 FROM checkpoint_files f WHERE f.sha256 = x.source_sha256)`,
    [unreferencedMs],
  );
  const { rows } = await hub.pool.query<{ sha256: string }>(
    `SELECT sha256 FROM blobs b WHERE ${isUnreferenced} ORDER BY created_at LIMIT ${MAX_SWEPT}`,
    [unreferencedMs],
  );
  const removed: string[] = [];
  for (const { sha256 } of rows)
    await withBlobLock(hub.blobs.place, sha256, async () => {
      const { rowCount } = await hub.pool.query(`DELETE FROM blobs b WHERE b.sha256 = $2 AND ${isUnreferenced}`, [
        unreferencedMs,
        sha256,
      ]);
      if (rowCount === 0) return;
      await hub.blobs.remove(sha256);
      removed.push(sha256);
    });
  return removed;
}
