/** What a study's zip holds, before anything of it is written: every model with its files, made where they were not there yet. */
import { AppError } from '@mealtable/protocol/errors';
import {
  type BestCheckpointView,
  type ExportFormat,
  explainNoExport,
  FORMAT_WORDS,
  type ModelFacts,
  type SeedChoice,
} from '@mealtable/protocol/exports';
import type { RunConfig } from '@mealtable/protocol/run-config';
import type { FinalTestView, StudyView, Top1Row } from '@mealtable/protocol/views';
import { nameFile } from '../../checkpoints/download-name.ts';
import type { Hub } from '../../context.ts';
import { loadRunDetail } from '../../runs/detail.ts';
import { loadOverview } from '../../studies/overview.ts';
import { loadStudyView } from '../../studies/view.ts';
import { loadBestCheckpoints } from '../best-models.ts';
import { loadModelSources } from '../model-source.ts';
import { type Ancestor, loadLineage } from './lineage.ts';

export interface BundleFile {
  /** In the model's folder. */
  name: string;
  format: 'safetensors' | ExportFormat;
  sha256: string;
  sizeBytes: number;
}
export interface BundleModel {
  /** Of the zip, without the study's. */
  folder: string;
  best: BestCheckpointView;
  /** Of the variant, over its seeds. */
  row: Top1Row;
  config: Exclude<RunConfig, { task: 'evaluation' | 'labelling' }>;
  facts: ModelFacts;
  finalTest: FinalTestView | null;
  lineage: Ancestor[];
  files: BundleFile[];
  unavailable: { format: ExportFormat; reason: string }[];
}
export interface Bundle {
  study: StudyView;
  /** What the study is to answer; may be empty. */
  question: string;
  seeds: SeedChoice;
  formats: readonly ExportFormat[];
  /** The zip's only folder; also its name. */
  folder: string;
  models: BundleModel[];
}

export interface BundleOptions {
  seeds: SeedChoice;
  formats: readonly ExportFormat[];
  /** Stops between two models when nobody waits any more. */
  signal: AbortSignal;
}

type BundleHub = Pick<Hub, 'pool' | 'exporter'>;

/**
 * Makes what is missing, one after the other; a format that cannot be had is noted with its reason.
 * @throws {AppError} not_found when there is no study or it has no model yet
 */
export async function loadBundle(hub: BundleHub, studyId: string, options: BundleOptions): Promise<Bundle> {
  const { seeds, formats, signal } = options;
  const study = await loadStudyView(hub.pool, studyId);
  const { question } = await loadOverview(hub.pool, studyId);
  const all = await loadBestCheckpoints(hub.pool, studyId);
  const chosen = all.filter(({ isBestOfVariant }) => seeds === 'all' || isBestOfVariant);
  const sources = await loadModelSources(
    hub.pool,
    chosen.map(({ checkpointId }) => checkpointId),
  );
  const models: BundleModel[] = [];
  for (const best of chosen) {
    signal.throwIfAborted();
    const source = sources.find(({ checkpointId }) => checkpointId === best.checkpointId);
    const row = study.rows.find(({ variantId }) => variantId === best.variantId);
    // Removed since they were listed.
    if (!source || !row) continue;
    const { config, finalTest } = await loadRunDetail(hub.pool, best.runId);
    if (config.task === 'evaluation' || config.task === 'labelling') continue;
    const place = String(study.rows.indexOf(row) + 1).padStart(2, '0');
    const folder = nameFile([place, best.variantLabel, `seed${best.seed}`]);
    const { facts, sourceSha256, sizeBytes } = source;
    const stem = nameFile([best.network, `seed${best.seed}`, `epoch${Number(best.epoch.toFixed(2))}`]);
    const weights = { name: `${stem}.safetensors`, format: 'safetensors', sha256: sourceSha256, sizeBytes } as const;
    const lineage = await loadLineage(hub.pool, config);
    const model: BundleModel = {
      ...{ folder, best, row, config, facts, finalTest, lineage },
      ...{ files: [weights], unavailable: [] },
    };
    for (const format of formats) await addFormat(hub, model, format, sourceSha256, stem);
    models.push(model);
  }
  if (models.length === 0)
    throw new AppError('not_found', 'No run of this study has a complete checkpoint of a network yet.');
  return { study, question, seeds, formats, folder: nameFile([study.name]) || study.id, models };
}

async function addFormat(
  { exporter }: BundleHub,
  model: BundleModel,
  format: ExportFormat,
  sourceSha256: string,
  stem: string,
): Promise<void> {
  const { facts } = model;
  const refusal = explainNoExport(facts.network, format);
  if (refusal !== null) {
    model.unavailable.push({ format, reason: refusal });
    return;
  }
  try {
    const made = await exporter.make({ sourceSha256, facts, format });
    model.files.push({ name: `${stem}${FORMAT_WORDS[format].ending}`, format, ...made });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
    model.unavailable.push({ format, reason: error.message });
  }
}
