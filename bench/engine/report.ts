/** The figures as text: a table for the terminal as it goes, and the Markdown that docs/ holds. */
import { readFile, writeFile } from 'node:fs/promises';
import type { CaseResult, Measured } from './case-result.ts';
import { CONTENDERS } from './contenders.ts';
import type { Ready } from './job.ts';
import type { Machine } from './machine.ts';
import type { Spread } from './statistics.ts';

type Capture = NonNullable<Ready['capture']>;

/** Everything that one run found; its JSON is the last line of the output. */
export interface Report {
  bench: 'engine';
  date: string;
  command: string;
  machine: Machine;
  threads: number;
  rounds: number;
  turnSeconds: number;
  loadBefore: number;
  loadAfter: number;
  warnings: string[];
  /** One sentence for each contender that this machine could not run at all. */
  leftOut: string[];
  captureCost: { case: string; cold: Capture; cached: Capture } | null;
  cases: CaseResult[];
}

const titleOf = (id: Measured['id']): string => CONTENDERS.find((contender) => contender.id === id)!.title;

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function spread({ median, min, max }: Spread, digits: (value: number) => string = number): string {
  return `${digits(median)} (${digits(min)}–${digits(max)})`;
}

const ratio = (measured: Measured): string =>
  measured.ratio === null ? '' : spread(measured.ratio, (value) => value.toFixed(2));
const gigabytes = (bytes: number | null): string => (bytes === null ? '?' : (bytes / 1e9).toFixed(2));

/** Rows of one case, aligned for a terminal. */
export function caseTable({ measured, subject }: CaseResult): string {
  const rows = [
    ['', 'images/s', subject === null ? '' : `${subject} : this`, 'peak GB', 'in steps'],
    ...measured.map((entry) => [
      entry.id,
      spread(entry.rate),
      ratio(entry),
      gigabytes(entry.peakBytes),
      gigabytes(entry.stepPeakBytes),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd()).join('\n');
}

/** The whole report as Markdown, without the prose around it. */
export function markdown(report: Report): string {
  const { machine, warnings, leftOut, captureCost } = report;
  const versions = [...new Set(report.cases.flatMap(({ measured }) => measured.map(({ version }) => version)))];
  return [
    `Measured on ${report.date} with \`${report.command}\`: ${machine.cpu}, ${machine.cores} cores, ` +
      `${gigabytes(machine.memoryBytes)} GB, ${machine.system}, Node ${machine.node}; ${report.threads} threads, ` +
      `${report.rounds} rounds of ${report.turnSeconds} s. ${versions.join('; ')}. ` +
      `Load average ${report.loadBefore.toFixed(2)} before, ${report.loadAfter.toFixed(2)} after.`,
    ...warnings.map((warning) => `**${warning}**`),
    ...leftOut.map((sentence) => `Not measured: ${sentence}.`),
    summaryMarkdown(report.cases),
    ...report.cases.map(caseMarkdown),
    ...(captureCost === null ? [] : [captureMarkdown(captureCost)]),
  ].join('\n\n');
}

/** One row per case: how many times as fast its subject was as each of the others. */
function summaryMarkdown(cases: readonly CaseResult[]): string {
  const ids = CONTENDERS.map(({ id }) => id).filter((id) =>
    cases.some(({ measured }) => measured.some((entry) => entry.id === id && entry.ratio !== null)),
  );
  const rows = cases.map(({ case: { id, batch }, measured, subject }) => {
    const own = measured.find((entry) => entry.id === subject);
    const rates = own === undefined ? ['-', '-'] : [titleOf(own.id), spread(own.rate)];
    const others = ids
      .map((other) => measured.find((entry) => entry.id === other))
      .map((entry) => entry && ratio(entry));
    return `| ${[id, batch, ...rates, ...others.map((text) => text || '-')].join(' | ')} |`;
  });
  const head = ['case', 'batch', 'this', 'images/s', ...ids.map((id) => `times ${titleOf(id)}`)];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

function caseMarkdown({ case: measured, measured: entries, subject }: CaseResult): string {
  const title = `### ${measured.network}, ${measured.mode}, ${measured.inputSize} pixels, batch ${measured.batch}`;
  if (subject === null) return `${title}\n\nNothing could be measured.`;
  const rows = entries.map(
    (entry) =>
      `| ${titleOf(entry.id)} | ${spread(entry.rate)} | ${ratio(entry) || '-'} | ${gigabytes(entry.peakBytes)} | ${gigabytes(entry.stepPeakBytes)} |`,
  );
  const head = `| | images/s | ${titleOf(subject)} is faster by | peak GB | in steps |`;
  return [title, '', head, '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function captureMarkdown({ case: id, cold, cached }: NonNullable<Report['captureCost']>): string {
  return [
    `### Capturing ${id} (${cold.nodeCount} nodes)`,
    '',
    '| | capture, s | first step after it, s |',
    '| --- | --- | --- |',
    `| nothing cached | ${number(cold.seconds)} | ${number(cold.firstRunSeconds)} |`,
    `| graph from the cache | ${number(cached.seconds)} | ${number(cached.firstRunSeconds)} |`,
  ].join('\n');
}

const BEGIN = '<!-- bench:engine begin -->';
const END = '<!-- bench:engine end -->';

/** `text` with whatever stood between the marks replaced. Throws when it lacks them. */
export function replaceBetweenMarks(text: string, replacement: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The marks ${BEGIN} and ${END} are not there, in this order.`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${replacement}\n\n${text.slice(end)}`;
}

export async function writeMarkdown(file: string, report: Report): Promise<void> {
  await writeFile(file, replaceBetweenMarks(await readFile(file, 'utf8'), markdown(report)));
}
