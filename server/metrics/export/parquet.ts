import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ExportedPage } from './records.ts';

/** Points of a row group: what is in memory at a time, and what a reader skips by. */
const GROUP_POINTS = 100_000;

const text = (name: string) =>
  ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' }) as const;
const number = (name: string, type: 'INT32' | 'DOUBLE') => ({ name, type, repetition_type: 'REQUIRED' }) as const;
const time = { name: 'time', type: 'INT64', converted_type: 'TIMESTAMP_MICROS', repetition_type: 'REQUIRED' } as const;
const COLUMNS = [
  ...[text('run'), text('variant'), number('seed', 'INT32'), number('attempt', 'INT32'), number('seq', 'INT32')],
  ...[number('step', 'INT32'), number('epoch', 'DOUBLE'), time, text('metric'), number('value', 'DOUBLE')],
];
type Cell = string | number | bigint;

/** Bytes that are sent on as soon as they are written; the file's offsets go on counting. */
class StreamedBytes extends ByteWriter {
  take(): Buffer {
    const bytes = Buffer.from(this.getBytes());
    this.index = 0;
    return bytes;
  }
}

/** One row per point, with the columns of the CSV. */
export async function* toParquet(pages: AsyncIterable<ExportedPage>): AsyncGenerator<Buffer> {
  const bytes = new StreamedBytes();
  const schema = [{ name: 'points', num_children: COLUMNS.length }, ...COLUMNS];
  // Statistics of floats with NaN among them mean different things to different readers.
  const writer = new ParquetWriter({ writer: bytes, schema, statistics: false, createdBy: 'Mealtable' });
  let group = newGroup();
  const writeGroup = async () => {
    if (group[0]!.length > 0)
      await writer.write({
        // A dictionary would take -0 for 0, and numbers seldom repeat.
        columnData: COLUMNS.map(({ name, type }, i) => ({
          ...{ name, data: group[i]! },
          ...(type === 'DOUBLE' ? { encoding: 'PLAIN' as const } : {}),
        })),
        rowGroupSize: group[0]!.length,
      });
    group = newGroup();
    return bytes.take();
  };
  for await (const { run, names, records } of pages) {
    for (const { attempt, seq, step, epoch, at, series, values } of records) {
      const micros = BigInt(Math.round(at * 1000));
      for (const [i, id] of series.entries()) {
        const row = [run.id, run.variant, run.seed, attempt, seq, step, epoch, micros, names.get(id)!, values[i]!];
        for (const [column, value] of row.entries()) group[column]!.push(value);
      }
      if (group[0]!.length >= GROUP_POINTS) yield await writeGroup();
    }
  }
  yield await writeGroup();
  await writer.finish();
  yield bytes.take();
}

const newGroup = (): Cell[][] => COLUMNS.map(() => []);
