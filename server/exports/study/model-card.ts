/** README.md of one model, in the form that model hubs read: front matter for their programs, then what people want to know. */
import { FORMAT_WORDS } from '@mealtable/protocol/exports';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import type { Bundle, BundleModel } from './bundle.ts';
import { codeBlock, markdownTable, markdownText, meanAndDeviation, paragraphs, percent, yaml } from './card-text.ts';
import { formatCode, timmCode } from './load-code.ts';

/** @param baseUrl where the hub is, for addresses */
export function makeModelCard(bundle: Bundle, model: BundleModel, baseUrl: string): string {
  const { best, row, config, files, unavailable } = model;
  const { study } = bundle;
  const title = `${best.network}: ${best.variantLabel}, seed ${best.seed}`;
  const isDistilled = config.task === 'distillation';
  const how = isDistilled
    ? `distilled with MEAL V2 from ${config.teachers.length} ${config.teachers.length === 1 ? 'teacher' : 'teachers'}`
    : 'trained on hard labels';
  return paragraphs(
    frontMatter(bundle, model),
    `# ${markdownText(title)}`,
    `A ${best.network} for images of the dataset ${config.dataset}, ${how}, in the study “${markdownText(study.name)}” of Mealtable. It is the best checkpoint of its run, saved after epoch ${Number(best.epoch.toFixed(2))}.`,
    '## Intended use',
    `Classifying images like those of ${config.dataset} into its classes, comparing methods of distillation, and as a start or a teacher of further training. It was measured on that dataset alone: how it does on other images, and whom its mistakes would harm, is not known.`,
    '## Results',
    markdownTable(
      ['Measured on', 'Top-1 (%)', 'Top-5 (%)'],
      [
        ['Validation images, this checkpoint', percent(best.top1), '–'],
        ...(model.finalTest?.best
          ? [
              [
                'Final test, read back from its file',
                percent(model.finalTest.best.top1),
                percent(model.finalTest.best.top5),
              ],
            ]
          : []),
        [
          `Validation images, mean ± standard deviation over the seeds of this variant`,
          meanAndDeviation(row.mean, row.std, row.n),
          '–',
        ],
      ],
    ),
    'The validation images also chose the epoch, so their number is slightly optimistic.',
    '## Training',
    codeBlock('json', JSON.stringify(config, null, 2)),
    lineageSection(model),
    '## Files',
    markdownTable(
      ['File', 'Bytes', 'SHA-256'],
      files.map(({ name, sizeBytes, sha256 }) => [`\`${name}\``, String(sizeBytes), `\`${sha256}\``]),
    ),
    unavailable.length === 0
      ? null
      : unavailable
          .map(({ format, reason }) => `- No ${FORMAT_WORDS[format].name}: ${markdownText(reason)}`)
          .join('\n'),
    '## How to load it',
    loadingSections(model),
    files.length + unavailable.length > 1
      ? null
      : `Other formats (${Object.values(FORMAT_WORDS)
          .map(({ name }) => name)
          .join(', ')}) are made on request: \`${baseUrl}/api/checkpoints/${best.checkpointId}/exports\` lists them.`,
    `The run: ${baseUrl}/runs/${best.runId}`,
  );
}

function frontMatter({ study }: Bundle, { best, config, row }: BundleModel): string {
  const isDistilled = config.task === 'distillation';
  const tags = ['image-classification', 'timm', ...(isDistilled ? ['knowledge-distillation', 'meal-v2'] : [])];
  const start = config.initialisation;
  const base = start.kind === 'pretrained' ? (KNOWN_WEIGHTS.get(start.weights)?.repo ?? null) : null;
  const metric = (name: string, value: number) => [
    '          - type: accuracy',
    `            name: ${yaml(name)}`,
    `            value: ${value}`,
  ];
  return [
    '---',
    'library_name: timm',
    'pipeline_tag: image-classification',
    `tags: ${yaml(tags)}`,
    `datasets: ${yaml([config.dataset])}`,
    'metrics: ["accuracy"]',
    ...(base === null ? [] : [`base_model: ${yaml(base)}`]),
    'model-index:',
    `  - name: ${yaml(`${study.name}: ${best.variantLabel}, seed ${best.seed}`)}`,
    '    results:',
    '      - task:',
    '          type: image-classification',
    '        dataset:',
    `          name: ${yaml(config.dataset)}`,
    `          type: ${yaml(config.dataset)}`,
    '          split: validation',
    ...(best.top1 === null && row.mean === null
      ? ['        metrics: []']
      : [
          '        metrics:',
          ...(best.top1 === null ? [] : metric('Top-1', best.top1)),
          ...(row.mean === null ? [] : metric('Top-1, mean over seeds', row.mean)),
        ]),
    '---',
  ].join('\n');
}

function lineageSection({ lineage, best }: BundleModel): string {
  if (lineage.length === 0) return '## Lineage\n\nIt started from random weights and had no teacher.';
  const table = markdownTable(
    ['Of', 'Relation', 'Weights', 'Network', 'Counts', 'Top-1 (%)', 'SHA-256 of the weights'],
    lineage.map(({ of, relation, name, network, weight, top1, sha256 }) => [
      of === null ? 'this model' : `\`${of}\``,
      relation,
      markdownText(name),
      network,
      weight === null ? '–' : String(weight),
      percent(top1),
      sha256 === null ? 'as published' : `\`${sha256}\``,
    ]),
  );
  const hasPublished = lineage.some(({ runId }) => runId === null);
  return paragraphs(
    '## Lineage',
    `Whose weights went into ${best.network}, and into those in turn.`,
    table,
    hasPublished
      ? 'Published weights are fetched by the training hosts; the hub has no copy of them to take a hash of.'
      : null,
  ).trimEnd();
}

function loadingSections({ files, facts }: BundleModel): string {
  return files
    .map(({ name, format }) => {
      if (format === 'safetensors')
        return `### PyTorch and timm\n\nThe weights have timm’s key names.\n\n${codeBlock('python', timmCode(facts, name))}`;
      const { language, code } = formatCode(format, facts, name);
      return `### ${FORMAT_WORDS[format].name}\n\nFor ${FORMAT_WORDS[format].readBy}.\n\n${codeBlock(language, code)}`;
    })
    .join('\n\n');
}
