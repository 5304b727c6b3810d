/** From printed bytes to numbered lines: the same however the bytes arrive, bars and floods kept small. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SGR } from '@mealtable/protocol/output';
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OutputClock } from '../../trainer/agent/output-clock.ts';
import { OutputFile } from '../../trainer/agent/output-file.ts';
import { OutputLines } from '../../trainer/agent/output-lines.ts';
import { OutputSegments } from '../../trainer/agent/output-segments.ts';
import { cleanText } from '../../trainer/agent/output-text.ts';
import { Rng } from '../../trainer/engine/rng.ts';

const ESC = '\u001b';
const RATE = { linesPerSecond: 5, charsPerSecond: 10_000, barStateMs: 1_000 };

function cut(bytes: Buffer, sizes: () => number) {
  const segments = new OutputSegments();
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, sizes());
    found.push(...segments.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...found, ...segments.finish()];
}

/** The lines of a text that is all there at once, in the first second. */
function linesOf(text: string, rate = RATE): string[] {
  const lines = new OutputLines(rate, '/host/output.log');
  const pushed = cut(Buffer.from(text), () => 1e6).flatMap((segment) => lines.push(segment, 0));
  return [...pushed, ...lines.finish()].map(({ line }) => line);
}

describe('segments', () => {
  const PIECES = [
    'a',
    'loss 0.5',
    'ü',
    '猫',
    '🐈',
    '\n',
    '\n',
    '\r',
    '\r\n',
    '\r\r\n',
    ESC,
    '[31m',
    '[2K',
    '\0',
    '\t',
    ' ',
  ];
  const randomBytes = (rng: Rng): Buffer => {
    const pieces = Array.from({ length: 60 }, () => Buffer.from(PIECES[Math.floor(rng.uniform() * PIECES.length)]!));
    pieces.push(Buffer.from([0xff, 0xe2, 0x82]), Buffer.from('x'.repeat(Math.floor(rng.uniform() * 20_000))));
    return Buffer.concat(pieces.sort(() => rng.uniform() - 0.5));
  };

  test.for([1, 2, 3, 4, 5, 6, 7, 8])('are the same for any chunking, seed %i', (seed) => {
    const rng = Rng.seeded(seed);
    const bytes = randomBytes(rng);
    const whole = cut(bytes, () => bytes.length);
    for (const most of [1, 2, 3, 7, 50]) expect(cut(bytes, () => Math.ceil(rng.uniform() * most))).toEqual(whole);
    expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, i) => i + 1));
    expect(whole.at(-1)?.end).toBe(bytes.length);
    for (const { text } of whole) {
      expect(text.length).toBeLessThanOrEqual(MAX_LOG_LINE);
      expect(text.replaceAll(SGR, '')).not.toMatch(/(?!\t)\p{Cc}/u);
    }
  });

  test('end at every kind of line end, and a last one without any is kept', () => {
    expect(cut(Buffer.from('unix\nwindows\r\n\nbar\rrest'), () => 1).map((s) => [s.text, s.endsLine])).toEqual([
      ['unix', true],
      ['windows', true],
      ['', true],
      ['bar', false],
      ['rest', true],
    ]);
  });

  test('keep colours and drop what moves the cursor, titles, bells and control characters', () => {
    expect(
      cleanText(`${ESC}[2K${ESC}[1;31mred${ESC}[0m${ESC}]0;title\u0007 ${ESC}[3Aup\u0007${ESC}(B\b\0ok${ESC}`),
    ).toBe(`${ESC}[1;31mred${ESC}[0m upok`);
  });

  test('of a line without an end hold its beginning, cut and marked', () => {
    const [segment] = cut(Buffer.from('🐈'.repeat(100_000)), () => 4_001);
    expect(segment!.text).toMatch(/^(🐈)+ … \(cut\)$/u);
    expect(segment!.text.length).toBeLessThanOrEqual(MAX_LOG_LINE);
  });
});

describe('lines', () => {
  test('a bar that was rewritten is one line, its last state', () => {
    expect(linesOf('\r 10%\r 50%\r100%\ndone\n')).toEqual(['100%', 'done']);
    expect(linesOf('10%\r100%\r\n')).toEqual(['100%']);
    expect(linesOf('10%\r100%\r   \r\nnext\n'), 'wiped at its end').toEqual(['100%', 'next']);
    expect(linesOf('10%\r20%'), 'dies in the middle').toEqual(['20%']);
    expect(linesOf('10%\r20%\r'), 'dies between two states').toEqual(['20%']);
  });

  test('a bar that moves for an hour is sent once a second, as states that are replaced', () => {
    const segments = new OutputSegments();
    const lines = new OutputLines(RATE, '');
    const sent = [];
    for (let at = 0; at < 3_600_000; at += 250) {
      for (const segment of segments.push(Buffer.from(`\r${at} `))) sent.push(...lines.push(segment, at));
      sent.push(...lines.pause(at));
    }
    expect(sent.every(({ line }) => line.endsWith('\r'))).toBe(true);
    expect(sent.length).toBeGreaterThan(3_500);
    expect(sent.length).toBeLessThanOrEqual(3_600);
    for (const segment of segments.push(Buffer.from('\rready\n'))) sent.push(...lines.push(segment, 3_600_000));
    expect(sent.at(-1)?.line).toBe('ready');
  });

  test('of a flood the first lines of each second are kept, and one line says how many were not', () => {
    const lines = new OutputLines(RATE, '/host/output.log');
    const sent = [];
    for (let i = 0; i < 40; i++)
      sent.push(...lines.push({ seq: i + 1, text: `line ${i}`, endsLine: true, end: 0 }, Math.floor(i / 20) * 1000));
    sent.push(...lines.finish());
    expect(sent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 20, 21, 22, 23, 24, 25, 40]);
    expect(sent[5]?.line).toMatch(
      /^… 15 lines were left out here: .* \/host\/output\.log until this attempt is over\.$/,
    );
  });

  test('a flood that has ended is told of in the next second, also when nothing follows', () => {
    const lines = new OutputLines(RATE, '');
    for (let i = 0; i < 7; i++) lines.push({ seq: i + 1, text: 'x', endsLine: true, end: 0 }, 100);
    expect(lines.pause(900)).toEqual([]);
    expect(lines.pause(1_000).map(({ seq }) => seq)).toEqual([7]);
    expect(lines.pause(2_000)).toEqual([]);
  });

  test('few long lines are a flood, too', () => {
    expect(linesOf(`${'x'.repeat(3_000)}\n`.repeat(4), { ...RATE, charsPerSecond: 7_000 })).toHaveLength(3);
  });
});

test('times between two looks are spread over the bytes, and never go back', () => {
  const clock = new OutputClock(0, 1_000);
  clock.note(0, 5_000);
  clock.note(100, 6_000);
  clock.note(90, 5_500);
  expect([0, 50, 100].map((end) => clock.timeOf(end))).toEqual([1_000, 5_500, 6_000]);
  for (let i = 1; i < 20_000; i++) clock.note(100 + i, 6_000 + i);
  const times = Array.from({ length: 2_001 }, (_, i) => clock.timeOf(i * 10));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(Math.abs(clock.timeOf(10_100) - 16_000)).toBeLessThan(100);
});

describe('the file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'output-file-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('is emptied once, wherever the agent is killed meanwhile', () => {
    const path = join(dir, 'output.log');
    writeFileSync(path, 'x'.repeat(100));
    const file = new OutputFile(path);
    expect(file.empty(6, 60, false), 'not read yet').toBe(false);
    expect(file.empty(6, 60, true)).toBe(true);
    expect([file.firstSeq, file.firstByte, file.lostBytes, readFileSync(path, 'utf8')]).toEqual([7, 100, 40, '']);
    writeFileSync(path, 'new');
    expect(file.read(100, 10).toString()).toBe('new');

    const note = `${path}.emptied.json`;
    const pending = JSON.stringify({ seq: 7, bytes: 100, lost: 40, pending: 100 });
    writeFileSync(note, pending);
    expect(new OutputFile(path).read(100, 10).toString(), 'killed after the emptying').toBe('new');
    writeFileSync(path, 'x'.repeat(100));
    writeFileSync(note, pending);
    expect(new OutputFile(path).look()?.end, 'killed before it').toBe(100);
    truncateSync(path, 0);
    expect(new OutputFile(path).firstSeq).toBe(7);
  });
});
