import { TrainingConfig } from '@mealtable/protocol/run-config';
import { describe, expect, test } from 'vitest';
import { CLASSIFICATION } from '../support/trainer-process.ts';

describe('a recipe in a config', () => {
  test('may be absent: then nothing is added to what was stored', () => {
    expect(TrainingConfig.parse(CLASSIFICATION)).toEqual(CLASSIFICATION);
  });

  test('has PyTorch’s defaults for AdamW, the full share of CutMix and a warm-up for averages', () => {
    const given = {
      ...CLASSIFICATION,
      optimizer: { ...CLASSIFICATION.optimizer, adamw: {}, decayedParameters: 'kernels' },
      ema: { decay: 0.999 },
      accumulation: 4,
      mixing: { kind: 'cutmix' },
    };
    const { optimizer, ema, mixing } = TrainingConfig.parse(given);
    expect(optimizer.adamw).toEqual({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    expect(ema).toEqual({ decay: 0.999, warmup: true });
    expect(mixing).toEqual({ kind: 'cutmix', alpha: 1, probability: 1 });
  });

  test.each([
    ['averages that never move', { ema: { decay: 1 } }, /keep the first weights for ever/],
    ['updates of no batch', { accumulation: 0 }, /at least 1 batch/],
    ['Beta(0, 0)', { mixing: { kind: 'mixup', alpha: 0 } }, /Alpha must be above 0/],
    ['a third way of mixing', { mixing: { kind: 'cutout' } }, /cutmix.*mixup/],
    ['a beta of 1', { optimizer: { ...CLASSIFICATION.optimizer, adamw: { beta2: 1 } } }, /Beta must be below 1/],
  ])('is refused for %s', (_, more, message) => {
    const { success, error } = TrainingConfig.safeParse({ ...CLASSIFICATION, ...more });
    expect(success).toBe(false);
    expect(error!.message).toMatch(message);
  });
});
