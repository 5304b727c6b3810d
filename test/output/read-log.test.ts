/** The merged log: pages in both directions, places by line, search, and the file that is downloaded. */
import { LOG_SOURCES } from '@mealtable/protocol/output';
import { LOG_BEGINNING, LogFilter, type LogPlace, type RunLogLine } from '@mealtable/protocol/run-log';
import { readPattern } from '@mealtable/protocol/search-pattern';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPlace, readNewer, readOlder } from '../../server/output/read-log.ts';
import { searchLimits, searchLog } from '../../server/output/search-log.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { addHost, addStudy, claimOne } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';

const ESC = '\u001b';
const T = 1_700_000_000_000;
let hub: TestHub;
let id: string;
/** In the order in which they must be read. */
const wanted: RunLogLine[] = [];
const all = LogFilter.parse({});

/** Three attempts; of each 30 log lines, 60 of stdout and 15 of stderr, at times that interleave. */
beforeAll(async () => {
  hub = await startTestHub();
  const { pool } = hub.hub;
  const hostId = await addHost(hub.hub);
  await addStudy(hub.hub, undefined, 'A study: "one"');
  ({ runId: id } = await claimOne(hub.hub, hostId));
  await pool.query(
    `INSERT INTO run_attempts (run_id, attempt, claimed_at, start_step, acked_seq)
     SELECT run_id, n, claimed_at, start_step, acked_seq FROM run_attempts, generate_series(2, 3) n WHERE run_id = $1`,
    [id],
  );
  const add = async (source: RunLogLine['source'], attempt: number, seq: number, at: number, text: string) => {
    const level = source === 'log' ? (seq % 10 === 0 ? 'warning' : 'info') : 'output';
    wanted.push({ source, attempt, seq, at, level, line: text });
    const row = { runId: id, attempt, seq, at: new Date(at), line: text };
    if (source === 'log') await hub.hub.db.logLine.create({ data: { ...row, level: level as 'info' } });
    else await hub.hub.db.outputLine.create({ data: { ...row, stream: source } });
  };
  for (const attempt of [1, 2, 3]) {
    const begin = T + attempt * 1e6;
    for (let i = 1; i <= 30; i++) await add('log', attempt, i * 2, begin + i * 200, `step ${i} of attempt ${attempt}`);
    for (let i = 1; i <= 60; i++)
      await add('stdout', attempt, i * 3, begin + i * 100, `${ESC}[32mloss${ESC}[0m 0.${i}`);
    for (let i = 1; i <= 15; i++) await add('stderr', attempt, i, begin + i * 400, `<b>Warning</b> ${i} (100%) äÖ`);
  }
  const rank = (line: RunLogLine) => LOG_SOURCES.indexOf(line.source);
  wanted.sort((a, b) => a.attempt - b.attempt || a.at - b.at || rank(a) - rank(b) || a.seq - b.seq);
});
afterAll(() => hub.close());

const key = ({ source, attempt, seq }: Pick<RunLogLine, 'source' | 'attempt' | 'seq'>) => `${attempt} ${source} ${seq}`;

describe('pages', () => {
  test.for([1, 7, 100, 1000])(
    'of %i lines follow each other in both directions without gap or repetition',
    async (limit) => {
      const { pool } = hub.hub;
      const newer: RunLogLine[] = [];
      for (let after: LogPlace = LOG_BEGINNING; ; ) {
        const page = await readNewer(pool, { id, filter: all, after, limit });
        expect(page.lines.length).toBeLessThanOrEqual(limit);
        newer.push(...page.lines);
        after = page.to;
        if (!page.hasMore) break;
      }
      expect(newer).toEqual(wanted);
      const older: RunLogLine[] = [];
      for (let before: LogPlace | undefined; ; ) {
        const page = await readOlder(pool, { id, filter: all, before, limit });
        older.unshift(...page.lines);
        before = page.from;
        if (!page.hasMore) break;
      }
      expect(older).toEqual(wanted);
    },
  );

  test('behind the tail nothing is missed that comes next', async () => {
    const tail = await readOlder(hub.hub.pool, { id, filter: all, limit: 1 });
    expect(await readNewer(hub.hub.pool, { id, filter: all, after: tail.to, limit: 10 })).toMatchObject({
      lines: [],
      hasMore: false,
    });
    expect(tail.to).toEqual({
      log: { attempt: 3, seq: 61 },
      stdout: { attempt: 3, seq: 181 },
      stderr: { attempt: 3, seq: 16 },
    });
  });

  test('of one source, or of problems alone, hold nothing else', async () => {
    const of = async (filter: LogFilter) =>
      (await readOlder(hub.hub.pool, { id, filter, limit: 2000 })).lines.map(
        ({ source, level }) => `${source} ${level}`,
      );
    expect(new Set(await of({ sources: ['stderr'], onlyProblems: false }))).toEqual(new Set(['stderr output']));
    expect(await of({ sources: ['log'], onlyProblems: true })).toEqual(Array(18).fill('log warning'));
  });

  test('a place by a line is where it begins, in every source', async () => {
    for (const hit of [wanted[0]!, wanted[150]!, wanted[151]!, wanted.at(-1)!]) {
      const place = await findPlace(hub.hub.pool, id, hit);
      const newer = await readNewer(hub.hub.pool, { id, filter: all, after: place, limit: 2000 });
      const older = await readOlder(hub.hub.pool, { id, filter: all, before: place, limit: 2000 });
      expect([...older.lines, ...newer.lines].map(key).sort()).toEqual(wanted.map(key).sort());
      expect(newer.lines.slice(0, 3).map(key)).toContain(key(hit));
    }
  });
});

describe('search', () => {
  async function search(
    text: string,
    more: { isRegex?: boolean; attempt?: number; filter?: LogFilter } = {},
    limits = searchLimits,
  ) {
    const hits: string[] = [];
    let calls = 0;
    for (let before: LogPlace | undefined; ; calls++) {
      const request = { id, filter: all, text, isRegex: false, ...more, before };
      const page = await searchLog(hub.hub.pool, request, limits);
      hits.push(...page.hits.map(key));
      if (!page.next) break;
      before = page.next;
    }
    return { hits, calls };
  }
  const expected = (fits: (line: RunLogLine) => boolean) => wanted.filter(fits).map(key).sort();

  test('finds text in any case, through colours, with characters that mean something elsewhere', async () => {
    const { hits } = await search('LOSS 0.1');
    expect(hits.sort()).toEqual(expected(({ line }) => line.includes(' 0.1')));
    expect((await search('(100%)')).hits).toHaveLength(45);
    expect((await search('WARNING</B> 7 (100%) äÖ')).hits).toHaveLength(3);
    expect((await search('%_')).hits).toEqual([]);
  });

  test('by pattern, attempt, source and level', async () => {
    expect((await search('^step \\d+ of', { isRegex: true, attempt: 2 })).hits).toHaveLength(30);
    expect((await search('^loss 0\\.1\\d?$', { isRegex: true, attempt: 1 })).hits).toHaveLength(11);
    expect(
      (await search('\\bstep', { isRegex: true, filter: { sources: ['log'], onlyProblems: true } })).hits,
    ).toHaveLength(18);
  });

  test('in small pieces finds the same, each hit once', async () => {
    for (const limits of [
      { ...searchLimits, linesPerCall: 7 },
      { ...searchLimits, linesPerCall: 50, hitsPerCall: 3 },
    ]) {
      const { hits, calls } = await search('0.', {}, limits);
      expect(calls).toBeGreaterThan(5);
      expect(hits.sort()).toEqual(expected(({ line }) => line.includes('0.')));
    }
  });

  test('says where a pattern is wrong', async () => {
    await expect(search('a(b', { isRegex: true })).rejects.toThrow(
      'Character 2 of the pattern: This bracket is not closed. Write \\( for the character.',
    );
  });

  test('of a pattern that is not refused, Postgres and JavaScript think alike', async () => {
    const rng = Rng.seeded(5);
    const PIECES = [
      'a',
      'b',
      'step',
      ' ',
      '1',
      '.',
      '*',
      '+?',
      '?',
      '{2}',
      '{1,3}',
      '(',
      '(?:',
      '(?=',
      '(?<!',
      ')',
      '[a-c',
      '[^1',
      ']',
      '-',
      '^',
      '$',
      '|',
      '\\d',
      '\\b',
      '\\W',
      '\\.',
      '\\',
      '\\t',
      '{',
      '}',
    ];
    const patterns = Array.from({ length: 3_000 }, () =>
      Array.from(
        { length: 1 + Math.floor(rng.uniform() * 6) },
        () => PIECES[Math.floor(rng.uniform() * PIECES.length)],
      ).join(''),
    );
    const lines = ['step 1 of', 'ab abc', 'aab11 - b', '', 'a.b\tstep', '[1]{2} (a)'];
    let agreed = 0;
    for (const pattern of patterns) {
      const read = readPattern(pattern);
      if (!read.ok) {
        expect(read.position).toBeLessThan(pattern.length);
        continue;
      }
      if (agreed++ > 400) break;
      const script = new RegExp(pattern, 'i');
      const { rows } = await hub.hub.pool.query<{ fits: boolean }>(
        'SELECT line ~* $2 AS fits FROM unnest($1::text[]) WITH ORDINALITY AS t(line, i) ORDER BY i',
        [lines, read.postgres],
      );
      expect([pattern, ...rows.map(({ fits }) => fits)]).toEqual([pattern, ...lines.map((line) => script.test(line))]);
    }
    expect(agreed).toBeGreaterThan(300);
  });
});

describe('the file', () => {
  const get = async (query = '', method = 'GET') => {
    const { cookie } = await hub.addMember('viewer');
    return rawRequest(hub.url, `/api/runs/${id}/log${query}`, { method, headers: { Cookie: cookie } });
  };

  test('holds every line in reading order, without colours, under a name that says what it is', async () => {
    const reply = await get();
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(reply.headers['content-disposition']).toMatch(/^attachment; filename="A-study-one-.*-seed1\.log"$/);
    const lines = reply.body.trimEnd().split('\n');
    expect(lines).toHaveLength(wanted.length);
    expect(lines[0]).toBe(`${new Date(T + 1e6 + 100).toISOString()} 1 stdout  loss 0.1`);
    expect(reply.body).toContain(' 3 stderr  <b>Warning</b> 15 (100%) äÖ');
  });

  test('of one stream and attempt holds only that; nonsense is refused in a sentence', async () => {
    const reply = await get('?sources=stderr&attempt=2');
    expect(reply.body.trimEnd().split('\n')).toHaveLength(15);
    expect(reply.headers['content-disposition']).toContain('-seed1-attempt2-stderr.log');
    const refused = await get('?sources=stdin');
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining('sources')]);
    expect((await get('', 'HEAD')).body).toBe('');
  });
});
