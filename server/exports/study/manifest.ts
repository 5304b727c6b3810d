/** The zip's table of contents for programs. */
import type { Bundle } from './bundle.ts';

export const MANIFEST_VERSION = 1;

/** The same for the same contents: it holds no time of its own making. */
export function makeManifest({ study, question, seeds, formats, models }: Bundle): object {
  return {
    version: MANIFEST_VERSION,
    study: {
      id: study.id,
      name: study.name,
      question,
      notes: study.notes,
      createdAt: new Date(study.createdAt).toISOString(),
      createdBy: study.createdBy,
      design: study.design,
    },
    choice: { seeds, formats },
    models: models.map(({ folder, best, row, config, facts, finalTest, lineage, files, unavailable }) => ({
      folder,
      run: best.runId,
      variant: { id: best.variantId, label: best.variantLabel, role: best.role, levels: row.levels },
      seed: best.seed,
      network: best.network,
      classNames: facts.classNames,
      inputSize: facts.inputSize,
      preprocessing: facts.preprocessing,
      checkpoint: { id: best.checkpointId, epoch: best.epoch, valTop1: best.top1 },
      finalTest: finalTest?.best ?? null,
      variantTop1: { mean: row.mean, std: row.std, n: row.n },
      lineage,
      config,
      files: files.map(({ name, ...file }) => ({ path: `${folder}/${name}`, ...file })),
      unavailable,
    })),
  };
}
