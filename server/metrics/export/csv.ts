import { csvCell } from '@mealtable/protocol/csv';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import type { ExportedPage } from './records.ts';

const COLUMNS = ['run', 'variant', 'seed', 'attempt', 'seq', 'step', 'epoch', 'time', 'metric', 'value'];

/** One line per point. NaN and infinities are spelled NaN, Infinity and -Infinity, and a metric that a record has not is no line. */
export async function* toCsv(pages: AsyncIterable<ExportedPage>): AsyncGenerator<string> {
  yield `${COLUMNS.join()}\n`;
  for await (const { run, names, records } of pages) {
    const head = [run.id, csvCell(run.variant), run.seed].join();
    const lines: string[] = [];
    for (const { attempt, seq, step, epoch, at, series, values } of records) {
      const record = `${head},${attempt},${seq},${step},${epoch},${new Date(at).toISOString()}`;
      for (const [i, id] of series.entries()) lines.push(`${record},${csvCell(names.get(id)!)},${values[i]}\n`);
    }
    yield lines.join('');
  }
}

/** One line per record, its metrics by name; numbers that JSON has not are spelled as in the API. */
export async function* toJsonLines(pages: AsyncIterable<ExportedPage>): AsyncGenerator<string> {
  for await (const { run, names, records } of pages) {
    const lines = records.map(({ attempt, seq, step, epoch, at, series, values }) => {
      const byName = Object.fromEntries(series.map((id, i) => [names.get(id)!, toWireNumber(values[i]!)]));
      const { id, variant, seed } = run;
      return `${JSON.stringify({ run: id, variant, seed, attempt, seq, step, epoch, at, values: byName })}\n`;
    });
    yield lines.join('');
  }
}
