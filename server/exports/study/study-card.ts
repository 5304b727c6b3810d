/** README.md of a study's zip: what was asked, what came of it, and which model is where. */
import type { Bundle } from './bundle.ts';
import {
  markdownNotes,
  markdownTable,
  markdownText,
  meanAndDeviation,
  paragraphs,
  percent,
  yaml,
} from './card-text.ts';

/** @param baseUrl where the hub is */
export function makeStudyCard({ study, question, seeds, models }: Bundle, baseUrl: string): string {
  const { design } = study;
  const byVariant = study.rows.filter(({ n }) => n > 0);
  return paragraphs(
    [
      '---',
      'library_name: timm',
      'pipeline_tag: image-classification',
      `tags: ${yaml(['image-classification', 'timm', 'knowledge-distillation', 'meal-v2', 'ablation-study'])}`,
      `datasets: ${yaml([design.dataset])}`,
      'metrics: ["accuracy"]',
      '---',
    ].join('\n'),
    `# ${markdownText(study.name)}`,
    `An ablation study of MEAL V2 knowledge distillation on ${design.dataset}: a ${design.student.network}, ${design.epochs} epochs, seeds ${design.seeds.join(', ')}. Written by Mealtable.`,
    question === '' ? null : `**${markdownText(question)}**`,
    study.notes === '' ? null : `## Notes\n\n${markdownNotes(study.notes)}`,
    '## Results',
    byVariant.length === 0
      ? 'No run has succeeded yet.'
      : markdownTable(
          ['Variant', 'Network', 'Input', 'Top-1 (%), mean ± standard deviation', 'Difference to the reference'],
          byVariant.map(({ label, network, inputSize, mean, std, n, isReference, isBest, difference }) => [
            `${markdownText(label)}${isBest ? ' **(best)**' : ''}`,
            network,
            String(inputSize),
            meanAndDeviation(mean, std, n),
            isReference ? 'reference' : signed(difference?.mean ?? null),
          ]),
        ),
    'Top-1 is that of the best epoch on the validation images. Differences are means over seeds that both have.',
    '## Models',
    seeds === 'best'
      ? 'Of each variant the seed with the highest top-1; `manifest.json` has every file with its hash.'
      : 'Every seed of each variant; `manifest.json` has every file with its hash.',
    markdownTable(
      ['Folder', 'Variant', 'Seed', 'Epoch', 'Top-1 (%)'],
      models.map(({ folder, best }) => [
        `[${folder}](${folder}/README.md)`,
        markdownText(best.variantLabel),
        String(best.seed),
        String(Number(best.epoch.toFixed(2))),
        percent(best.top1),
      ]),
    ),
    'Each folder’s `README.md` says how its model was trained, whose weights went into it and how to load it.',
    `The study: ${baseUrl}/studies/${study.id}`,
  );
}

const signed = (value: number | null): string =>
  value === null ? '–' : `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`;
