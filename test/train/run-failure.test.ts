import { describe, expect, test } from 'vitest';
import { DatasetInvalidError } from '../../trainer/data/unreadable-images.ts';
import { TrainerFailure } from '../../trainer/train/job.ts';
import { describeFailure, isUnexpected, RunFailure } from '../../trainer/train/run-failure.ts';

const diskFull = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

describe('what ended a run', () => {
  test.each([
    ['a full disk', diskFull, 'disk_full', /No space is left/],
    ['a full quota', Object.assign(new Error('EDQUOT'), { code: 'EDQUOT' }), 'disk_full', /No space is left/],
    ['a full disk behind another error', new Error('not saved', { cause: diskFull }), 'disk_full', /ENOSPC/],
    [
      'a failure with a code',
      new RunFailure('diverged', 'The loss became NaN.'),
      'diverged',
      /^The loss became NaN\.$/,
    ],
    ['a bad dataset', new DatasetInvalidError('No val/.'), 'dataset_invalid', /^No val\/\.$/],
    [
      'memory that TensorFlow did not get',
      new Error('OOM when allocating tensor with shape[64,64,112,112] and type float on /device:GPU:0'),
      'out_of_memory',
      /^The memory did not suffice: OOM when/,
    ],
    ['memory that JavaScript did not get', new RangeError('Array buffer allocation failed'), 'out_of_memory', /Array/],
    ['a bug', new TypeError('x is not a function'), 'trainer_error', /stopped on an error: x is not a function/],
    ['something thrown that is no error', 'text', 'trainer_error', /text/],
    ['an error without words', new Error(), 'trainer_error', /Error$/],
  ] as const)('%s has its code and a sentence', (_name, thrown, failureCode, message) => {
    expect(TrainerFailure.parse(describeFailure(thrown))).toEqual({
      failureCode,
      message: expect.stringMatching(message),
    });
    expect(isUnexpected(thrown)).toBe(failureCode === 'trainer_error');
  });

  test('is cut to what fits', () => {
    const { message } = TrainerFailure.parse(describeFailure(new RunFailure('weights_missing', 'k'.repeat(5000))));
    expect(message).toMatch(/^k+…$/);
  });
});
