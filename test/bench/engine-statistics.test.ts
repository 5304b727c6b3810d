/** The figures of the engine's benchmark: what is derived from the rounds, and what is written about them. */
import { describe, expect, test } from 'vitest';
import { findDisagreement, type Record, summarise } from '../../bench/engine/case-result.ts';
import { CASES, makeCase, QUICK_CASE, selectCases } from '../../bench/engine/cases.ts';
import { CONTENDERS, findContenders } from '../../bench/engine/contenders.ts';
import { foreignShare, warnAboutLoad } from '../../bench/engine/machine.ts';
import { parseOptions } from '../../bench/engine/options.ts';
import { replaceBetweenMarks } from '../../bench/engine/report.ts';
import { ratiosByRound, spreadOf, stepsFor } from '../../bench/engine/statistics.ts';

describe('statistics', () => {
  test('the median is the middle value, or the mean of the two middle ones; the spread is all of it', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spreadOf([2])).toEqual({ median: 2, min: 2, max: 2 });
    expect(() => spreadOf([])).toThrow(RangeError);
  });

  test('numbers are put in order as numbers', () => {
    expect(spreadOf([10, 9, 100]).median).toBe(10);
  });

  test('a ratio is taken within each round, so that a slow round does not move it', () => {
    // The machine was half as fast in the second round. The ratio of the medians would be 15 / 12.5 = 1.2 as well as 20 / 10.
    expect(ratiosByRound([20, 10, 30], [10, 5, 15])).toEqual([2, 2, 2]);
    expect(() => ratiosByRound([1, 2], [1])).toThrow('2 and 1');
  });

  test('a turn has the steps that fill it, and one at least', () => {
    expect(stepsFor(4, 0.5)).toBe(8);
    expect(stepsFor(4, 60)).toBe(1);
  });
});

const record = (id: Record['id'], rounds: number[]): Record => ({
  id,
  rounds,
  peakBytes: null,
  stepPeakBytes: null,
  ready: { version: '', checks: [1] },
});

describe('the result of a case', () => {
  const measured = makeCase('resnet18', 'training', 224, 8);

  test("is about the captured step, or the most advanced of ours that ran; the peers' ratios say how much faster that was", () => {
    const rows = [record('eager', [2, 4]), record('captured', [4, 8]), record('torch', [8, 4])];
    const result = summarise(measured, rows, [], null);
    expect(result.subject).toBe('captured');
    expect(result.measured.map(({ ratio }) => ratio)).toEqual([
      { median: 2, min: 2, max: 2 },
      null,
      { median: 1.25, min: 0.5, max: 2 },
    ]);
    expect(summarise(measured, [rows[0]!, rows[2]!], [], null).subject).toBe('eager');
    expect(summarise(measured, [rows[2]!], [], null).subject).toBeNull();
  });

  test('is unfair when somebody computed something else, or nothing', () => {
    const result = (id: string, ...checks: number[]) => ({ id, checks });
    expect(findDisagreement([result('a', 6.9, 6.8), result('b', 6.9001, 6.8001)])).toBeNull();
    expect(findDisagreement([result('a', 6.9, 6.8), result('b', 6.9, 6.7)])).toContain('b computed');
    expect(findDisagreement([result('a', 6.9), result('b', Number.NaN)])).toContain('NaN');
    expect(findDisagreement([])).toBeNull();
  });
});

describe('the machine', () => {
  test('what others took is what nobody of ours did', () => {
    const share = foreignShare({ busy: 1000, total: 5000 }, { busy: 1900, total: 6000 }, 800);
    expect(share).toBeCloseTo(0.1);
    expect(warnAboutLoad(0, share)).toContain('10% of the cores');
  });

  test('an idle one needs no warning', () => {
    expect(warnAboutLoad(0.1, 0.01)).toBeNull();
    expect(warnAboutLoad(0.1, null)).toBeNull();
    expect(warnAboutLoad(1.7, null)).toContain('1.70');
  });
});

describe('the command', () => {
  test('measures everything unless told otherwise', () => {
    const options = parseOptions([], {})!;
    expect(options.cases).toHaveLength(CASES.length);
    expect(options.contenders).toEqual(CONTENDERS);
    expect(parseOptions(['--quick'], {})!.cases.map(({ id }) => id)).toEqual([QUICK_CASE]);
    expect(parseOptions(['--help'], {})).toBeNull();
  });

  test('finds cases by parts of their names', () => {
    expect(selectCases(['resnet18-training', 'senet']).map(({ id }) => id)).toEqual([
      'resnet18-training-224',
      'resnet18-training-380',
      'senet154-inference-224',
    ]);
  });

  test.each([
    [['--cases', 'vgg'], 'No case matches "vgg"'],
    [['--only', 'jax'], 'no contender "jax"'],
    [['--rounds', '0'], '--rounds wants a whole number'],
    [['--threads', '1.5'], '--threads wants a whole number'],
    [['--seconds', 'soon'], '--seconds wants a number'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args, {})).toThrow(message);
  });

  test('says what a contender lacks and how to get it', async () => {
    const torch = CONTENDERS.filter(({ id }) => id === 'torch');
    const missing = await findContenders(torch, '/nonexistent/python');
    expect(missing).toEqual({ available: [], leftOut: [{ id: 'torch', reason: '/nonexistent/python does not run' }] });
    const alien = { ...torch[0]!, packages: ['sys', 'no_such_package'] };
    const { leftOut } = await findContenders([alien], 'python3');
    expect(leftOut[0]!.reason).toBe(
      'python3 lacks no_such_package; to get it: python3 -m pip install sys no_such_package',
    );
  });

  test('replaces the table in a document and nothing else', () => {
    const [begin, end] = ['<!-- bench:engine begin -->', '<!-- bench:engine end -->'];
    const text = replaceBetweenMarks(`before\n${begin}\nold\n${end}\nafter`, 'new');
    expect(text).toBe(`before\n${begin}\n\nnew\n\n${end}\nafter`);
    expect(replaceBetweenMarks(text, 'new')).toBe(text);
    expect(() => replaceBetweenMarks('no marks', 'new')).toThrow('bench:engine begin');
  });
});
