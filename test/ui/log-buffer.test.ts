/** The log in the browser: its end or a window, three sources in one order, none lost and none twice. */
import type { LogSource } from '@mealtable/protocol/output';
import { LOG_BEGINNING, LogFilter, type LogPlace, type RunLogLine, type RunLogPage } from '@mealtable/protocol/run-log';
import { describe, expect, it } from 'vitest';
import { keyOf, LogBuffer } from '../../components/run/log-buffer.ts';

const all = LogFilter.parse({});
const line = (seq: number, source: LogSource = 'log', attempt = 1): RunLogLine => ({
  source,
  attempt,
  seq,
  at: seq * 10,
  level: source === 'log' ? 'info' : 'output',
  line: `line ${seq}`,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const place = (seq: number, attempt = 1): LogPlace => ({ ...LOG_BEGINNING, log: { attempt, seq } });
const page = (from: number, to: number, hasMore = false): RunLogPage => ({
  lines: range(from, to).map((seq) => line(seq)),
  from: place(from),
  to: place(to + 1),
  hasMore,
});
const live = (from: number, to: number, attempt = 1) => ({
  runId: 'run_x',
  attempt,
  records: range(from, to).map((seq) => {
    const { at, line: text } = line(seq);
    return { kind: 'log' as const, seq, at, level: 'info' as const, line: text };
  }),
});
const printed = (lines: [seq: number, line: string][], at = 0) => ({
  runId: 'run_x',
  attempt: 1,
  stream: 'stdout' as const,
  lines: lines.map(([seq, text]) => ({ seq, at: at || seq * 10, line: text })),
});
const seqs = (buffer: LogBuffer) => buffer.lines.map(({ seq }) => seq);

describe('LogBuffer', () => {
  it('shows the tail and says that older lines exist', () => {
    const buffer = new LogBuffer(all);
    buffer.addTail(page(50, 60, true));
    expect(seqs(buffer)).toEqual(range(50, 60));
    expect(buffer.hasOlder).toBe(true);
    expect(buffer.beginning).toEqual(place(50));
  });

  it('puts older lines in front and live ones behind, and waits with these until the gap is closed', () => {
    const buffer = new LogBuffer(all);
    buffer.addLive(live(9, 10));
    buffer.addTail(page(4, 9, true));
    buffer.addLive(live(11, 11));
    buffer.addOlder(page(1, 3));
    expect(seqs(buffer)).toEqual(range(1, 11));
    expect(buffer.hasOlder).toBe(false);
    buffer.beginCatchUp();
    buffer.addLive(live(15, 16));
    buffer.addNewer(page(12, 13, true));
    expect(buffer.isCaughtUp).toBe(false);
    buffer.addNewer(page(14, 15));
    expect(seqs(buffer)).toEqual(range(1, 16));
  });

  it('merges sources by time, and a late line of one source to its place', () => {
    const buffer = new LogBuffer(all);
    buffer.addTail(page(1, 4));
    buffer.addLive(printed([[1, 'printed']], 25));
    expect(buffer.lines.map(keyOf)).toEqual(['1:log:1', '1:log:2', '1:stdout:1', '1:log:3', '1:log:4']);
  });

  it('replaces the state of a bar by the next one', () => {
    const buffer = new LogBuffer(all);
    buffer.addTail({ lines: [], from: LOG_BEGINNING, to: LOG_BEGINNING, hasMore: false });
    buffer.addLive(
      printed([
        [1, 'begin'],
        [4, '10%\r'],
      ]),
    );
    buffer.addLive(printed([[9, '90%\r']]));
    buffer.addLive(printed([[4, '10%\r']]));
    expect(buffer.lines.map((l) => l.line)).toEqual(['begin', '90%\r']);
    buffer.addLive(printed([[10, 'done']]));
    expect(buffer.lines.map((l) => l.line)).toEqual(['begin', 'done']);
  });

  it('holds what its filter asks for, and nothing else', () => {
    const buffer = new LogBuffer(LogFilter.parse({ sources: ['log'], onlyProblems: true }));
    buffer.addTail({ ...page(1, 0), from: LOG_BEGINNING, to: LOG_BEGINNING });
    buffer.addLive(printed([[1, 'printed']]));
    buffer.addLive(live(1, 2));
    buffer.addLive({ ...live(0, -1), records: [{ kind: 'log', seq: 3, at: 1, level: 'error', line: 'bad' }] });
    expect(buffer.lines.map((l) => l.line)).toEqual(['bad']);
  });

  it('lets the oldest go beyond its limit and offers them again', () => {
    const buffer = new LogBuffer(all, 10);
    buffer.addTail(page(1, 8));
    buffer.addLive(live(9, 3_000));
    expect(buffer.lines.length).toBeLessThan(2_100);
    expect(seqs(buffer)).toEqual(range(seqs(buffer)[0]!, 3_000));
    expect(buffer.hasOlder).toBe(true);
    expect(buffer.beginning?.log.seq).toBe(seqs(buffer)[0]);
  });

  it('takes nothing from under a reader who scrolled up: it becomes a window', () => {
    const buffer = new LogBuffer(all, 10);
    buffer.addTail(page(1, 8));
    buffer.isFollowed = false;
    for (let seq = 9; seq < 5_000; seq++) buffer.addLive(live(seq, seq));
    expect(seqs(buffer)).toEqual(range(1, 10));
    expect(buffer.hasNewer).toBe(true);
    expect(buffer.end).toMatchObject(place(11));
  });

  it('a window grows at both ends, and at the log’s end becomes live again without a gap', () => {
    const buffer = new LogBuffer(all);
    buffer.addTail(page(90, 100, true));
    buffer.show(page(40, 49, true), page(50, 59, true), true);
    expect(seqs(buffer)).toEqual(range(40, 59));
    buffer.addLive(live(101, 101));
    expect(seqs(buffer)).toEqual(range(40, 59));
    buffer.addOlder(page(30, 39, true));
    buffer.addNewer(page(60, 80, true));
    buffer.addLive(live(102, 102));
    buffer.addNewer(page(81, 101));
    buffer.addLive(live(103, 103));
    expect(seqs(buffer)).toEqual(range(30, 103));
    expect([buffer.hasOlder, buffer.hasNewer]).toEqual([true, false]);
  });

  it('orders a later attempt behind an earlier one although its numbers and its clock begin anew', () => {
    const buffer = new LogBuffer(all);
    buffer.addTail(page(1, 3));
    buffer.addLive(live(1, 2, 2));
    expect(buffer.lines.map(keyOf)).toEqual(['1:log:1', '1:log:2', '1:log:3', '2:log:1', '2:log:2']);
  });
});
