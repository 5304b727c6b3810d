import { AttemptRecord } from '@mealtable/protocol/records';
import { expect, test } from 'vitest';
import { isMetricsRecord } from '../../server/metrics/is-metrics-record.ts';
import { parseBatch } from '../../server/metrics/parse-batch.ts';
import { makeRandom } from '../support/random.ts';

const good = (): Record<string, unknown> => ({
  ...{ kind: 'metrics', seq: 3, at: 1.7e12, step: 2, epoch: 0.5, values: { 'train/loss': 0.25, 'val/top1': 'NaN' } },
});

test('the quick check says yes to nothing that the schema refuses, and to what trainers send', () => {
  expect(isMetricsRecord(good())).toBe(true);
  const random = makeRandom(3);
  const pick = <T>(...all: T[]) => all[Math.floor(random() * all.length)]!;
  const odd = () =>
    pick<unknown>(
      ...[
        0,
        1,
        -1,
        -0,
        1.5,
        2 ** 31 - 1,
        2 ** 31,
        8.64e15,
        8.64e15 + 2,
        1e308,
        null,
        true,
        '1',
        'NaN',
        'Infinity',
        'infinity',
      ],
      ...[
        '',
        [],
        {},
        [1],
        { a: 1 },
        { 'a/b': 1 },
        { 'a/b': [] },
        { 'a/b': 'nan' },
        { 'a b/c': 1 },
        { [`a/${'b'.repeat(99)}`]: 1 },
      ],
    );
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    const record = good();
    for (let change = Math.floor(random() * 3); change > 0; change--) {
      const field = pick('kind', 'seq', 'at', 'step', 'epoch', 'values', 'more');
      const act = random();
      if (act < 0.15) delete record[field];
      else if (act < 0.7) record[field] = odd();
      else (record.values as Record<string, unknown>)['train/more'] = odd();
      if (typeof record.values !== 'object' || record.values === null) break;
    }
    // As it comes out of a message.
    const item: unknown = JSON.parse(JSON.stringify(record));
    if (!isMetricsRecord(item)) continue;
    taken++;
    const parsed = AttemptRecord.safeParse(item);
    expect(parsed, JSON.stringify(item)).toMatchObject({ success: true });
    expect(parsed.data).toEqual(item);
  }
  expect(taken).toBeGreaterThan(5_000);
});

test('a name of 300 characters is refused with its path and its limit, and the batch with it', () => {
  const name = `train/${'x'.repeat(294)}`;
  expect(parseBatch([good(), { ...good(), seq: 4, values: { [name]: 1 } }])).toMatchObject({
    ...{ ok: false, code: 'bad_record', path: `records.1.values.${name}` },
  });
});
