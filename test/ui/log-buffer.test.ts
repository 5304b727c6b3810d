/** The log in the browser: the tail first, older lines in front, live lines behind, none lost and none twice. */
import type { LogPage } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { LogBuffer } from '../../components/run/log-buffer.ts';

const line = (attempt: number, seq: number): LogPage['lines'][number] => ({
  attempt,
  seq,
  at: seq,
  level: 'info',
  line: `line ${seq}`,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const page = (from: number, to: number, hasOlder = false): LogPage => ({
  lines: range(from, to).map((seq) => line(1, seq)),
  hasOlder,
});
const live = (from: number, to: number, attempt = 1) => ({
  runId: 'run_x',
  attempt,
  records: range(from, to).map((seq) => ({
    kind: 'log' as const,
    seq,
    at: seq,
    level: 'info' as const,
    line: `line ${seq}`,
  })),
});
const seqs = (buffer: LogBuffer) => buffer.lines.map(({ seq }) => seq);

describe('LogBuffer', () => {
  it('shows the tail and says that older lines exist', () => {
    const buffer = new LogBuffer();
    buffer.addTail(page(50, 60, true));
    expect(seqs(buffer)).toEqual(range(50, 60));
    expect(buffer.hasOlder).toBe(true);
    expect(buffer.oldest).toEqual({ attempt: 1, seq: 50 });
  });

  it('puts older lines in front, without those it has', () => {
    const buffer = new LogBuffer();
    buffer.addTail(page(50, 60, true));
    buffer.addOlder(page(40, 51));
    expect(seqs(buffer)).toEqual(range(40, 60));
    expect(buffer.hasOlder).toBe(false);
  });

  it('keeps live lines aside until the tail is there, then adds the new ones', () => {
    const buffer = new LogBuffer();
    buffer.addLive(live(58, 63));
    expect(seqs(buffer)).toEqual([]);
    buffer.addTail(page(50, 60));
    expect(seqs(buffer)).toEqual(range(50, 63));
  });

  it('closes the gap of a lost connection in as many steps as it needs', () => {
    const buffer = new LogBuffer();
    buffer.addTail(page(1, 5));
    buffer.beginCatchUp();
    buffer.addLive(live(12, 13));
    buffer.addNewer(page(6, 8), false);
    expect(buffer.isCaughtUp).toBe(false);
    buffer.addNewer(page(9, 12), true);
    expect(seqs(buffer)).toEqual(range(1, 13));
  });

  it('lets the oldest go beyond its limit and offers them again', () => {
    const buffer = new LogBuffer(10);
    buffer.addTail(page(1, 8));
    buffer.addLive(live(9, 14));
    expect(seqs(buffer)).toEqual(range(5, 14));
    expect(buffer.hasOlder).toBe(true);
  });

  it('orders a later attempt behind an earlier one although its numbers begin anew', () => {
    const buffer = new LogBuffer();
    buffer.addTail(page(1, 3));
    buffer.addLive(live(1, 2, 2));
    expect(buffer.lines.map(({ attempt, seq }) => `${attempt}:${seq}`)).toEqual(['1:1', '1:2', '1:3', '2:1', '2:2']);
  });
});
