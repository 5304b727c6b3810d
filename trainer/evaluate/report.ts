/** The result of `npm run evaluate` for people. */
import { differenceTo, publishedResult } from '@mealtable/protocol/evaluation';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import type { EvaluationOrder, EvaluationResult } from '../train/evaluation.ts';

/** Measured, published and their difference, in columns; the difference only where the sizes agree. */
export function formatResult({ source, inputSize }: EvaluationOrder, result: EvaluationResult): string {
  const known = source.kind === 'pretrained' ? KNOWN_WEIGHTS.get(source.weights) : undefined;
  const published = known ? publishedResult(known) : null;
  const sameSize = published?.inputSize === inputSize;
  const heading = published === null || sameSize ? 'published' : `published at ${published.inputSize} px`;
  const row = (name: string, measured: number, stated: number | null) => {
    const difference = differenceTo(measured, stated, sameSize);
    return [name, measured.toFixed(2), stated?.toFixed(2) ?? '-', difference === null ? '-' : signed(difference)];
  };
  const lines = [
    ['', 'measured', heading, 'difference'],
    row('top-1 %', result.top1, published?.top1 ?? null),
    row('top-5 %', result.top5, published?.top5 ?? null),
    ['loss', result.loss.toFixed(4), '-', '-'],
  ];
  const shown = published === null ? lines.map((line) => line.slice(0, 2)) : lines;
  const widths = shown[0]!.map((_, i) => Math.max(...shown.map((line) => line[i]!.length)));
  const cells = (line: string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  const count = `${result.images.toLocaleString('en')} images`;
  const left = result.unreadable > 0 ? `; ${result.unreadable} more could not be read` : '';
  return [...shown.map(cells), `over ${count}${left}`].join('\n');
}

const signed = (x: number) => `${x > 0 ? '+' : ''}${x.toFixed(2)}`;
