/** Learning rate as a pure function of the epoch. Constant within an epoch, as the reference recipe has it. */
import type { OptimizerConfig } from '@mealtable/protocol/run-config';

/**
 * Learning rate of 0-based `epoch` in a run of `epochs`.
 * `step` multiplies by its factor once for every listed epoch already reached. `cosine` falls along half a cosine from the full
 * rate (first epoch after the warm-up) towards 0 (just after the last). A warm-up of w epochs has 1/(w+1), 2/(w+1), ... of it.
 */
export function learningRateAt(
  optimizer: Pick<OptimizerConfig, 'learningRate' | 'schedule'>,
  epoch: number,
  epochs: number,
): number {
  const { learningRate, schedule } = optimizer;
  switch (schedule.kind) {
    case 'constant':
      return learningRate;
    case 'step': {
      const drops = schedule.dropAtEpochs.filter((drop) => epoch >= drop).length;
      return warmUp(learningRate * schedule.factor ** drops, epoch, schedule.warmupEpochs ?? 0);
    }
    case 'cosine': {
      const { warmupEpochs } = schedule;
      if (epoch < warmupEpochs) return warmUp(learningRate, epoch, warmupEpochs);
      return (learningRate * (1 + Math.cos((Math.PI * (epoch - warmupEpochs)) / (epochs - warmupEpochs)))) / 2;
    }
  }
}

const warmUp = (rate: number, epoch: number, warmupEpochs: number): number =>
  epoch < warmupEpochs ? (rate * (epoch + 1)) / (warmupEpochs + 1) : rate;
