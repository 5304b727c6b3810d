import { expect, test } from 'vitest';
import { learningRateAt } from '../../trainer/optim/schedule.ts';

const rates = (schedule: Parameters<typeof learningRateAt>[0]['schedule'], epochs: number) =>
  Array.from(
    { length: epochs },
    (_, epoch) => +learningRateAt({ learningRate: 0.1, schedule }, epoch, epochs).toFixed(9),
  );

test('constant', () => {
  expect(rates({ kind: 'constant' }, 3)).toEqual([0.1, 0.1, 0.1]);
});

test('step drops at the start of each listed epoch', () => {
  expect(rates({ kind: 'step', dropAtEpochs: [2, 4], factor: 0.1 }, 5)).toEqual([0.1, 0.1, 0.01, 0.01, 0.001]);
});

test("MEAL V2's own regime is 0.01 for epochs 0 to 100 and 0.001 after them", () => {
  const optimizer = { learningRate: 0.01, schedule: { kind: 'step' as const, dropAtEpochs: [101], factor: 0.1 } };
  expect(learningRateAt(optimizer, 100, 180)).toBe(0.01);
  expect(learningRateAt(optimizer, 101, 180)).toBeCloseTo(0.001, 12);
});

test('cosine starts at the full rate, passes half of it half-way and ends above 0', () => {
  const values = rates({ kind: 'cosine', warmupEpochs: 0 }, 10);
  expect(values[0]).toBe(0.1);
  expect(values[5]).toBe(0.05);
  expect(values[9]).toBeGreaterThan(0);
  expect(values).toEqual([...values].sort((a, b) => b - a));
});

test('a warm-up rises evenly to the full rate; a run of warm-up only is allowed', () => {
  expect(rates({ kind: 'cosine', warmupEpochs: 3 }, 5)).toEqual([0.025, 0.05, 0.075, 0.1, 0.05]);
  expect(rates({ kind: 'cosine', warmupEpochs: 5 }, 2).every((rate) => rate > 0 && rate < 0.1)).toBe(true);
});

test('steps may be warmed up too; drops are counted from the first epoch all the same', () => {
  const schedule = { kind: 'step' as const, dropAtEpochs: [4], factor: 0.1, warmupEpochs: 3 };
  expect(rates(schedule, 6)).toEqual([0.025, 0.05, 0.075, 0.1, 0.01, 0.01]);
});
