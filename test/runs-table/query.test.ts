/** The query language: what it means, where its faults are, and that its reference in docs/runs-table.md is true. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyFix, type Query, readQuery } from '@mealtable/protocol/run-query';
import { completeQuery } from '@mealtable/protocol/run-query-complete';
import { RunFields } from '@mealtable/protocol/run-query-fields';
import { describe, expect, it } from 'vitest';
import { makeRandom } from '../support/random.ts';

const fields = new RunFields({
  version: '1',
  runs: 4,
  config: [
    { name: 'config.batchSize', kind: 'number' },
    { name: 'config.optimizer.learningRate', kind: 'number' },
    { name: 'config.optimizer.schedule.kind', kind: 'text' },
    { name: 'config.ema.warmup', kind: 'boolean' },
  ],
  varied: ['teachers', 'discriminator'],
  metrics: ['train/loss', 'val/loss', 'val/top1', 'train/learning_rate'],
  values: { host: ['gpu-1', 'gpu "two"'], teachers: ['resnet152', 'resnet50'] },
  hidden: [],
});

/** As brackets show it. */
function shape(query: Query | null): string {
  if (query === null) return '';
  if (query.kind === 'and' || query.kind === 'or') return `(${query.parts.map(shape).join(` ${query.kind} `)})`;
  if (query.kind === 'not') return `not ${shape(query.of)}`;
  if (query.kind === 'words') return `"${query.text}"`;
  if (query.kind === 'compare')
    return `${query.field.name} ${query.comparison} ${'value' in query.value ? query.value.value : query.value.kind}`;
  if (query.kind === 'in')
    return `${query.field.name} in ${query.values.map((value) => ('value' in value ? value.value : value.kind)).join()}`;
  return `${query.field.name} ${query.kind} ${query.text}`;
}
function read(text: string): string {
  const reading = readQuery(text, fields);
  return reading.ok ? shape(reading.query) : `${reading.fault.from}-${reading.fault.to}: ${reading.fault.message}`;
}

describe('a query', () => {
  it('binds not before and before or', () => {
    expect(read('seed = 1 or seed = 2 and not status = failed')).toBe(
      '(seed = 1 or (seed = 2 and not status = failed))',
    );
    expect(read('(seed = 1 or seed = 2) and host ~ gpu')).toBe('((seed = 1 or seed = 2) and host contains gpu)');
    expect(read('NOT (seed = 1 AND seed = 2)')).toBe('not (seed = 1 and seed = 2)');
  });

  it('asks for all runs when it is empty', () => {
    expect(readQuery(' \n ', fields)).toEqual({ ok: true, query: null });
  });

  it('knows the values of every kind', () => {
    expect(read('top1 >= 70.5%')).toBe('top1 >= 70.5');
    expect(read('config.optimizer.learningRate < 1e-3')).toBe('config.optimizer.learningRate < 0.001');
    expect(read('duration > 1h30min')).toBe('duration > 5400000');
    expect(read('created = 2026-11-26')).toBe(`created = ${Date.UTC(2026, 10, 26)}`);
    expect(read('created > 3d ago')).toBe(`created > ${3 * 86_400_000}`);
    expect(read('config.ema.warmup')).toBe('config.ema.warmup = true');
    expect(read('host not in ("gpu-1", none)')).toBe('not host in gpu-1,none');
    expect(read('teachers not has "resnet152"')).toBe('not teachers has resnet152');
    expect(read('val/top1 > 1')).toBe('val/top1 > 1');
    expect(read('train/loss.last = nan')).toBe('train/loss.last = NaN');
    expect(read('priority > -1')).toBe('priority > -1');
    expect(read("host = 'it\\'s'")).toBe("host = it's");
  });

  it('takes what is no field for a text that is looked for', () => {
    expect(read('resnet50 and not "seed 3"')).toBe('("resnet50" and not "seed 3")');
  });

  it('says where it is wrong when it ends too early', () => {
    expect(read('seed = ')).toBe('7-7: Say what `seed` is compared with, such as 70.');
    expect(read('seed = 1 and')).toBe('12-12: A condition is missing here, such as status = running.');
    expect(read('host = "gpu')).toBe('7-11: This text has no closing ".');
    expect(read('(seed = 1')).toBe('0-1: This bracket is not closed.');
    expect(read('seed in (1, 2')).toBe('8-9: This bracket is not closed.');
    expect(read('seed = 1)')).toBe('8-9: This bracket closes nothing.');
  });

  it('names the first fault, also before one that cannot be read at all', () => {
    expect(read('sed = 1 and $')).toContain('0-3: There is no field `sed`. Did you mean `seed`?');
    expect(read('seed = 1 and $')).toContain('13-14: "$" has no meaning here.');
  });

  it('refuses what is too long or too deep without falling over', () => {
    expect(read('x'.repeat(2_001))).toContain('2000-2001: A filter has at most 2000 characters.');
    expect(read(`${'('.repeat(900)}seed = 1`)).toContain('deep');
    expect(read(`${'not '.repeat(400)}seed = 1`)).toContain('deep');
  });
});

describe('docs/runs-table.md', () => {
  const doc = readFileSync(path.resolve(import.meta.dirname, '../../docs/runs-table.md'), 'utf8');
  const examples = [...doc.matchAll(/```query\n([\s\S]*?)\n```/g)].map((match) => match[1]!);

  it('has examples that can be read', () => {
    expect(examples.length).toBeGreaterThanOrEqual(12);
    for (const example of examples) expect(readQuery(example, fields), example).toMatchObject({ ok: true });
  });

  it('has wrong filters that are wrong there, and cured as it says', () => {
    const cells = /^\| `([^`]+)` \| (?:before )?`([^`]+)` \| (?:`([^`]+)`)? ?\|$/gm;
    const rows = [...doc.slice(doc.indexOf('### What is wrong')).matchAll(cells)];
    expect(rows.length).toBeGreaterThanOrEqual(12);
    for (const [row, text, part, cured] of rows) {
      const reading = readQuery(text!, fields);
      if (reading.ok) throw new Error(`${text} is not wrong.`);
      const { from, to, fix } = reading.fault;
      if (row.includes('| before `')) expect(text!.slice(from), row).toMatch(new RegExp(`^${part}`));
      else expect(text!.slice(from, to), row).toBe(part);
      expect(fix ? applyFix(text!, fix) : undefined, row).toBe(cured);
      if (cured) expect(readQuery(cured, fields).ok, cured).toBe(true);
    }
  });

  it('names the summaries that metrics have', () => {
    for (const field of fields.fieldsOf('val/top1')) expect(doc).toContain(`\`${field.name}\``);
  });
});

describe('any text', () => {
  const pieces = [
    ...['status', 'seed', 'top1', 'val/top1.max', 'teachers', 'created', 'duration', 'config.ema.warmup', 'xyz'],
    ...['=', '!=', '<', '>=', '~', '!~', 'in', 'has', 'not', 'and', 'or', 'ago', 'none', 'today', '==', '&&'],
    ...['(', ')', ',', '"', "'", '`', '\\', '70', '1e-3', '2h', '2026-11-26', '2026-13-77', 'running', '"a b"', '%'],
    ...['\u{1f600}', 'é', '\u0000', '<b>', '=cmd()', '../..', '\n', '-', '.', '5'],
  ];
  const random = makeRandom(7);
  const texts = Array.from({ length: 4_000 }, () =>
    Array.from({ length: Math.floor(random() * 12) }, () => pieces[Math.floor(random() * pieces.length)]).join(
      random() < 0.7 ? ' ' : '',
    ),
  );

  it('is read without a throw, with faults and cures that lie within it', () => {
    let read = 0;
    for (const text of texts) {
      const reading = readQuery(text, fields);
      if (reading.ok) {
        read++;
        continue;
      }
      const { from, to, fix, message } = reading.fault;
      expect(message).toMatch(/[.?!]$/);
      for (const span of fix ? [{ from, to }, fix] : [{ from, to }])
        expect(0 <= span.from && span.from <= span.to && span.to <= text.length, JSON.stringify(text)).toBe(true);
      // A cure changes something, and what it cures is not wrong in the same way again.
      if (fix) expect(applyFix(text, fix), JSON.stringify(text)).not.toBe(text);
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(texts.length - 50);
  });

  it('can be completed anywhere, within itself', () => {
    for (const text of texts.slice(0, 1_000))
      for (const caret of [0, Math.floor(text.length / 2), text.length]) {
        const { from, to } = completeQuery(text, caret, fields);
        expect(0 <= from && from <= to && to <= caret, JSON.stringify([text, caret])).toBe(true);
      }
  });
});

describe('completion', () => {
  /** `|` is the cursor. */
  function complete(marked: string) {
    const caret = marked.indexOf('|');
    const text = marked.replace('|', '');
    const { from, to, options } = completeQuery(text, caret, fields);
    return options.map((option) => text.slice(0, from) + option.text + text.slice(to));
  }

  it('offers fields, then how they are compared, then values, then more', () => {
    expect(complete('sta|').slice(0, 1)).toEqual(['status']);
    expect(complete('val/top1.b|')).toEqual(['val/top1.best', 'val/top1.bestEpoch']);
    expect(complete('status |')).toContain('status not in');
    expect(complete('status = r|')).toContain('status = running');
    expect(complete('teachers has |')).toEqual(['teachers has "resnet152"', 'teachers has "resnet50"']);
    expect(complete('status = running |')).toEqual(['status = running and', 'status = running or']);
    expect(complete('status in (running, f|')).toContain('status in (running, failed');
    expect(complete('status in (running, failed) and se|')).toContain('status in (running, failed) and seed');
  });

  it('writes texts so that they are read as they are', () => {
    const [first] = complete('host = "two|');
    expect(first).toBe('host = "gpu \\"two\\""');
    expect(read(first!)).toBe('host = gpu "two"');
  });

  it('leaves what stands after the cursor', () => {
    expect(complete('se| = 1')).toContain('seed = 1');
  });
});
