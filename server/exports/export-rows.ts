/** Which exports are stored: one row for each model file, format and recipe. */
import { createHash } from 'node:crypto';
import { CONVERTER_VERSION, type ExportFormat, type ModelFacts } from '@mealtable/protocol/exports';
import { EXPORT_KEPT_MS } from '@mealtable/protocol/tunables';
import type { Queryable } from '../runs/summary.ts';

/** What decides an export to the byte. */
export interface ExportKey {
  sourceSha256: string;
  format: ExportFormat;
  facts: ModelFacts;
}
export interface StoredExport {
  sha256: string;
  sizeBytes: number;
}

/** Everything besides the weights that decides the bytes, as a short text. */
export function recipeOf({ facts }: Pick<ExportKey, 'facts'>): string {
  const { network, classNames, inputSize, preprocessing } = facts;
  const { cropFraction, interpolation, mean, std } = preprocessing;
  // Listed, so that the order of fields in an object means nothing.
  const decisive = JSON.stringify([network, classNames, inputSize, cropFraction, interpolation, mean, std]);
  return `${CONVERTER_VERSION}-${createHash('sha256').update(decisive).digest('hex').slice(0, 24)}`;
}

/** One text for a key. */
export const keyText = (key: ExportKey): string => [key.sourceSha256, key.format, recipeOf(key)].join(' ');

/** @returns what is stored of one model file and recipe, by format */
export async function findExports(
  db: Queryable,
  key: Omit<ExportKey, 'format'>,
): Promise<Map<ExportFormat, StoredExport>> {
  const { rows } = await db.query<{ format: ExportFormat; sha256: string; size_bytes: string }>(
    `SELECT e.format, e.sha256, e.size_bytes FROM model_exports e JOIN blobs b ON b.sha256 = e.sha256
     WHERE e.source_sha256 = $1 AND e.recipe = $2`,
    [key.sourceSha256, recipeOf(key)],
  );
  return new Map(rows.map((row) => [row.format, { sha256: row.sha256, sizeBytes: Number(row.size_bytes) }]));
}

/** Files the export and its blob at once: neither is there without the other. */
export async function recordExport(db: Queryable, key: ExportKey, { sha256, sizeBytes }: StoredExport): Promise<void> {
  await db.query(
    `WITH blob AS (
       INSERT INTO blobs (sha256, size_bytes) VALUES ($4, $5) ON CONFLICT (sha256) DO UPDATE SET created_at = now())
     INSERT INTO model_exports (source_sha256, format, recipe, sha256, size_bytes) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (source_sha256, format, recipe)
       DO UPDATE SET sha256 = excluded.sha256, size_bytes = excluded.size_bytes, created_at = now()`,
    [key.sourceSha256, key.format, recipeOf(key), sha256, sizeBytes],
  );
}

/**
 * Forgets exports that nobody has asked for in a long time: they can be made again. Their files, and exports whose model no
 * checkpoint has any more, go with the sweep of the blob store.
 */
export async function forgetUnusedExports(db: Queryable, unusedMs: number = EXPORT_KEPT_MS): Promise<void> {
  await db.query(
    `DELETE FROM model_exports e USING blobs b
     WHERE b.sha256 = e.sha256 AND b.created_at <= now() - $1 * interval '1 millisecond'`,
    [unusedMs],
  );
}
