/** The top-1 table as text for papers and spreadsheets: the numbers as shown, in the same order, the published result set apart. */
import { intervalWords, signed } from '@mealtable/protocol/effect-words';
import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import { discriminatorWord } from '@mealtable/protocol/study-choices';
import type { Top1Row } from '@mealtable/protocol/views';
import { otherLevels, teacherNames } from './teacher-names.ts';
import { csvTable, latexTabular, latexText, markdownTable, markdownText } from './text-table.ts';

/** What is copied of a study. */
export interface Top1Copy {
  rows: readonly Top1Row[];
  /** Whose published result stands below the study's own. */
  reproduces: PublishedStudyName | undefined;
}

const HEADINGS = ['Role', 'Variant', 'Teachers', 'Discriminator', 'Input size', 'n'] as const;
const FIGURES = ['Top-1 mean', 'Top-1 std', 'Best epoch', 'Mark'] as const;
const DIFFERENCES = ['Difference', 'Difference low', 'Difference high', 'p', 'Pairs'] as const;
const NOISE = 'Within noise of the best: the 95 % interval of the difference to it, paired by seed, holds 0.';

const roleWords = (role: Top1Row['role']): string =>
  role === 'baseline' ? 'student alone' : role === 'student' ? 'distilled' : role;
const fixed = (value: number | null): string => (value === null ? '' : value.toFixed(2));
const signedOrNothing = (value: number | null | undefined): string => (value == null ? '' : signed(value));
const discriminatorOf = (row: Top1Row): string => (row.levels ? discriminatorWord(row.levels.discriminator) : '');
const nameOf = (row: Top1Row): string => [teacherNames(row) ?? row.label, ...otherLevels(row)].join(' · ');
const markOf = ({ isBest, isWithinNoiseOfBest }: Top1Row): string =>
  isBest ? 'best' : isWithinNoiseOfBest ? 'within noise of best' : '';

const publishedName = (title: string) => `${title} (published by MEAL V2's authors, on ImageNet; not computed here)`;

/** One line per variant with every seed's value in a column of its own; failed or missing ones are empty. */
export function toCsv({ rows, reproduces }: Top1Copy): string {
  const seeds = [...new Set(rows.flatMap((row) => row.values.map(({ seed }) => seed)))].sort((a, b) => a - b);
  const head = [...HEADINGS, ...FIGURES, ...DIFFERENCES, ...seeds.map((seed) => `Seed ${seed}`)];
  const lines = rows.map((row) => [
    roleWords(row.role),
    row.label,
    teacherNames(row) ?? '',
    discriminatorOf(row),
    String(row.inputSize),
    String(row.n),
    fixed(row.mean),
    fixed(row.std),
    row.bestEpoch === null ? '' : String(row.bestEpoch),
    row.isReference ? 'reference' : markOf(row),
    signedOrNothing(row.difference?.mean),
    signedOrNothing(row.difference?.interval?.low),
    signedOrNothing(row.difference?.interval?.high),
    row.difference?.p == null ? '' : String(Number(row.difference.p.toPrecision(3))),
    row.difference === null ? '' : String(row.difference.n),
    ...seeds.map((seed) => {
      const value = row.values.find((candidate) => candidate.seed === seed);
      return value?.status === 'succeeded' ? fixed(value.top1) : '';
    }),
  ]);
  if (reproduces !== undefined) {
    const { title, teachers, inputSize, top1 } = publishedStudy(reproduces);
    const cells = ['published', publishedName(title), teachers.join(' + '), 'on', String(inputSize), '', fixed(top1)];
    lines.push([...cells, ...head.slice(cells.length).map(() => '')]);
  }
  return csvTable([head, ...lines]);
}

/** The best mean of the distilled students in bold, those within its noise with a dagger, which a line below explains. */
export function toMarkdown({ rows, reproduces }: Top1Copy): string {
  const head = ['Teachers or network', 'Discriminator', 'Input', 'n', 'Top-1 (%)', 'Best epoch', 'Δ', '95 % interval'];
  const body = rows.map((row) => {
    const mean = row.isBest ? `**${fixed(row.mean)}**` : fixed(row.mean);
    const top1 = [mean || '–', ...(row.std === null ? [] : ['±', fixed(row.std)])].join(' ');
    return [
      markdownText(nameOf(row)),
      discriminatorOf(row) || '–',
      `${row.inputSize}`,
      `${row.n}`,
      row.isWithinNoiseOfBest ? `${top1} †` : top1,
      row.bestEpoch === null ? '–' : `${row.bestEpoch}`,
      row.isReference ? 'reference' : signedOrNothing(row.difference?.mean) || '–',
      row.difference?.interval ? intervalWords(row.difference.interval) : '–',
    ];
  });
  if (reproduces !== undefined) {
    const { title, inputSize, top1 } = publishedStudy(reproduces);
    body.push([`*${markdownText(publishedName(title))}*`, 'on', `${inputSize}`, '–', fixed(top1), '–', '–', '–']);
  }
  const note = rows.some((row) => row.isWithinNoiseOfBest) ? `\n† ${NOISE}\n` : '';
  return markdownTable(head, body, 2) + note;
}

/** A tabular for the booktabs package, marked as the Markdown is; the published result below a rule of its own. */
export function toLatex({ rows, reproduces }: Top1Copy): string {
  const head = [
    'Teachers or network',
    'Discriminator',
    'Input',
    '$n$',
    'Top-1 (\\%)',
    'Best epoch',
    '$\\Delta$',
    '95\\,\\% interval',
  ];
  const body = rows.map((row) => {
    const mean = row.isBest ? `\\textbf{${fixed(row.mean)}}` : `$${fixed(row.mean)}$`;
    const top1 = row.mean === null ? '--' : row.std === null ? mean : `${mean} $\\pm$ $${fixed(row.std)}$`;
    return [
      latexText(nameOf(row)),
      discriminatorOf(row) || '--',
      `${row.inputSize}`,
      `${row.n}`,
      row.isWithinNoiseOfBest ? `${top1}$^\\dagger$` : top1,
      row.bestEpoch === null ? '--' : `${row.bestEpoch}`,
      row.isReference || row.difference?.mean == null ? '--' : `$${signed(row.difference.mean)}$`,
      row.difference?.interval ? `$${intervalWords(row.difference.interval)}$` : '--',
    ];
  });
  const published: string[][] = [];
  if (reproduces !== undefined) {
    const { title, inputSize, top1 } = publishedStudy(reproduces);
    published.push([
      `\\emph{${latexText(publishedName(title))}}`,
      'on',
      `${inputSize}`,
      '--',
      `$${fixed(top1)}$`,
      '--',
      '--',
      '--',
    ]);
  }
  const note = rows.some((row) => row.isWithinNoiseOfBest) ? `$^\\dagger$ ${latexText(NOISE)}` : undefined;
  return latexTabular('llrrrrrr', head, [body, published], note);
}
