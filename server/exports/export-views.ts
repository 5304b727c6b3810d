/** In which formats one checkpoint's model is to be had, and how far each is. */
import { EXPORT_FORMATS, type ExportFormat, explainNoExport, type ModelExportView } from '@mealtable/protocol/exports';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { Hub } from '../context.ts';
import { findExports, type StoredExport } from './export-rows.ts';
import { exportPath } from './exporter.ts';
import { loadModelSource, type ModelSource } from './model-source.ts';

/** safetensors first. @throws {AppError} not_found */
export async function loadExportViews(
  hub: Pick<Hub, 'pool' | 'exporter'>,
  checkpointId: string,
): Promise<ModelExportView[]> {
  const source = await loadModelSource(hub.pool, checkpointId);
  const stored = await findExports(hub.pool, source);
  const weights: ModelExportView = {
    format: 'safetensors',
    state: 'ready',
    sizeBytes: source.sizeBytes,
    sha256: source.sourceSha256,
    reason: null,
    url: `/api/checkpoints/${checkpointId}/${CHECKPOINT_FILES.model}`,
  };
  return [weights, ...EXPORT_FORMATS.map((format) => viewOf(hub, source, format, stored.get(format)))];
}

export function viewOf(
  { exporter }: Pick<Hub, 'exporter'>,
  source: ModelSource,
  format: ExportFormat,
  stored: StoredExport | undefined,
): ModelExportView {
  const key = { sourceSha256: source.sourceSha256, facts: source.facts, format };
  const view = { format, sizeBytes: null, sha256: null, reason: null, url: exportPath(source.checkpointId, format) };
  if (stored) return { ...view, ...stored, state: 'ready' };
  const refusal = explainNoExport(source.facts.network, format);
  if (refusal !== null) return { ...view, state: 'unavailable', reason: refusal };
  if (exporter.isRunning(key)) return { ...view, state: 'running' };
  const failure = exporter.failureOf(key);
  return failure === null ? { ...view, state: 'on-demand' } : { ...view, state: 'failed', reason: failure };
}
