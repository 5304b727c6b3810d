/** A task that keeps moving averages of its network's weights: a second network, which is validated and saved in its place. */
import { tf } from '../engine/tf.ts';
import type { Network } from '../models/network.ts';
import { type AveragedVariable, WeightAverage, type WeightAverageOptions } from '../optim/weight-average.ts';
import { type Task, takePrefix, withPrefix } from './task.ts';

/**
 * Takes over `task` and `averaged`, a network of the same kind with the same weights. Its averages are those of the parameters
 * and of batch norm's statistics alike. Since a checkpoint's weights are the averages, the trained weights go into its state.
 */
export function withAverage(task: Task, averaged: Network, options: WeightAverageOptions): Task {
  const { network } = task;
  const average = new WeightAverage(
    [...pairs(network.parameters, averaged.parameters, true), ...pairs(network.buffers, averaged.buffers, false)],
    options,
  );
  return {
    ...task,
    averaged,
    variables: [...task.variables, ...averaged.parameters.values(), ...averaged.buffers.values(), ...average.variables],
    step: (images, labels, learningRate, more) =>
      tf.tidy(() => {
        const result = task.step(images, labels, learningRate, more);
        average.update();
        return result as never;
      }),
    toState: async () =>
      new Map([
        ...(await task.toState()),
        ...withPrefix('average.', await average.toState()),
        ...withPrefix('trained.', await network.toStateDict()),
      ]),
    loadState: (state) => {
      average.loadState(takePrefix('average.', state));
      network.loadStateDict(takePrefix('trained.', state));
      task.loadState(state);
    },
    dispose: () => {
      average.dispose();
      averaged.dispose();
      task.dispose();
    },
  };
}

function pairs(
  weights: Network['parameters'],
  averages: Network['parameters'],
  isTrained: boolean,
): AveragedVariable[] {
  return [...weights].map(([name, weight]) => ({ weight, average: averages.get(name)!, isTrained }));
}
