import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptRecord } from '@mealtable/protocol/records';
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { type RecordBody, RecordWriter } from '../../trainer/train/record-writer.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'records-'));
  path = join(folder, 'records.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const ODD_TEXT = ['plain', 'naïve ☃ 🙂', 'a "quoted"\n\ttext\\', '\u2028', ''];
const ODD_NUMBERS = [0, -1.5, 1e-300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1 / 3];

function randomBody(rng: Rng): RecordBody {
  if (rng.uniform() < 0.5) {
    return { kind: 'log', level: 'info', line: ODD_TEXT[rng.integer(ODD_TEXT.length)]!.repeat(rng.integer(20)) };
  }
  const values = Object.fromEntries(
    Array.from({ length: rng.integer(4) }, (_, i) => [`train/m${i}`, ODD_NUMBERS[rng.integer(ODD_NUMBERS.length)]!]),
  );
  return { kind: 'metrics', step: rng.integer(1000), epoch: rng.uniform(), values };
}

function writeRandom(rng: Rng, count: number): AttemptRecord[] {
  const writer = RecordWriter.open(path, () => 1234);
  for (let i = 0; i < count; i++) writer.write(randomBody(rng));
  writer.close();
  return readRecords(path, 0).records;
}

test('P9: what is written is read, numbered from 1 without a gap, and fits the schema', () => {
  const rng = Rng.seeded(1);
  const writer = RecordWriter.open(path, () => 99);
  const bodies = Array.from({ length: 200 }, () => randomBody(rng));
  for (const body of bodies) writer.write(body);
  writer.close();
  const { records, nextOffset } = readRecords(path, 0);
  expect(records.map((r) => r.seq)).toEqual(bodies.map((_, i) => i + 1));
  expect(nextOffset).toBe(readFileSync(path).length);
  records.forEach((record, i) => {
    AttemptRecord.parse(record);
    expect(record.at).toBe(99);
    const body = bodies[i]!;
    if (body.kind === 'log' && record.kind === 'log') expect(record.line).toBe(body.line);
    if (body.kind === 'metrics' && record.kind === 'metrics')
      for (const [name, x] of Object.entries(body.values)) expect(Number(record.values[name])).toBe(x);
  });
});

test('reading on from any nextOffset gives the rest, whatever the chunk', () => {
  const all = writeRandom(Rng.seeded(2), 50);
  for (const maxBytes of [1, 64, 700, 1_000_000]) {
    const seen: AttemptRecord[] = [];
    for (let offset = 0; ; ) {
      const { records, nextOffset } = readRecords(path, offset, maxBytes);
      if (records.length === 0) break;
      seen.push(...records);
      offset = nextOffset;
    }
    expect(seen).toEqual(all);
  }
});

test('a file cut at any byte reads as its whole lines, and a new writer goes on after them', () => {
  const all = writeRandom(Rng.seeded(3), 12);
  const bytes = readFileSync(path);
  for (let cut = 0; cut <= bytes.length; cut += 7) {
    writeFileSync(path, bytes.subarray(0, cut));
    const whole = bytes.subarray(0, cut).filter((b) => b === 0x0a).length;
    expect(readRecords(path, 0).records).toEqual(all.slice(0, whole));
    const writer = RecordWriter.open(path);
    expect(writer.log('info', 'after')).toBe(whole + 1);
    writer.close();
    const { records, nextOffset } = readRecords(path, 0);
    expect(records).toHaveLength(whole + 1);
    expect(records.at(-1)).toMatchObject({ line: 'after', seq: whole + 1 });
    expect(nextOffset).toBe(readFileSync(path).length);
  }
});

test('a changed byte in the last line hides that line only', () => {
  const rng = Rng.seeded(4);
  const all = writeRandom(rng, 3);
  const bytes = readFileSync(path);
  const lastLine = bytes.subarray(0, -1).lastIndexOf(0x0a) + 1;
  for (let i = 0; i < 40; i++) {
    const damaged = Buffer.from(bytes);
    const at = lastLine + rng.integer(bytes.length - lastLine);
    damaged[at] = damaged[at]! ^ (1 + rng.integer(255));
    writeFileSync(path, damaged);
    expect(readRecords(path, 0)).toEqual({ records: all.slice(0, 2), nextOffset: lastLine });
  }
});

test('a file that is not there yet holds no records', () => {
  expect(readRecords(path, 0)).toEqual({ records: [], nextOffset: 0 });
});

test('a line with a good checksum that is no record throws with the place', () => {
  const writer = RecordWriter.open(path);
  expect(() => writer.write({ kind: 'party' } as unknown as RecordBody)).not.toThrow();
  writer.close();
  expect(() => readRecords(path, 0)).toThrow(/byte 0: not a record/);
});

test('good records before it are read first, so that nothing is cut off with it', () => {
  const writer = RecordWriter.open(path);
  writer.log('info', 'a'.repeat(1500));
  writer.log('info', 'b');
  writer.write({ kind: 'party' } as unknown as RecordBody);
  writer.close();
  const { records, nextOffset } = readRecords(path, 0);
  expect(records.map((r) => r.seq)).toEqual([1, 2]);
  expect(() => readRecords(path, nextOffset)).toThrow(new RegExp(`byte ${nextOffset}: not a record`));
});

test('long log lines are cut to the limit and marked', () => {
  const writer = RecordWriter.open(path);
  writer.log('output', 'x'.repeat(MAX_LOG_LINE + 1));
  writer.log('output', 'y'.repeat(MAX_LOG_LINE));
  writer.close();
  const lines = readRecords(path, 0).records.map((r) => (r.kind === 'log' ? r.line : ''));
  expect(lines[0]).toHaveLength(MAX_LOG_LINE);
  expect(lines[0]).toMatch(/\(cut\)$/);
  expect(lines[1]).toBe('y'.repeat(MAX_LOG_LINE));
});

test('a reader that runs beside the writer sees every record once', () => {
  const writer = RecordWriter.open(path);
  let offset = 0;
  const seen: number[] = [];
  const poll = () => {
    const read = readRecords(path, offset);
    offset = read.nextOffset;
    seen.push(...read.records.map((r) => r.seq));
  };
  for (let i = 0; i < 20; i++) {
    writer.log('info', `line ${i}`);
    if (i % 3 === 0) poll();
  }
  writer.close();
  appendFileSync(path, 'deadbeef {"seq":21');
  poll();
  truncateSync(path, offset);
  poll();
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});
