/** Training on hard labels: for teachers, starts and the student alone. */
import { hardCrossEntropy } from '../distill/soft-cross-entropy.ts';
import { tf } from '../engine/tf.ts';
import type { Network } from '../models/network.ts';
import { type StepResult, type Task, top1Percent, withPrefix } from './task.ts';
import { Updater, type UpdaterOptions } from './updater.ts';

/** Takes over `network`. */
export function createClassificationTask(network: Network, options: UpdaterOptions): Task {
  const updater = new Updater(withPrefix('network.', network.parameters), options);
  return {
    network,
    variables: [...updater.variables, ...network.buffers.values()],
    constants: [],
    step: (images, labels, learningRate) =>
      tf.tidy(() => {
        const forward = () => {
          const logits = network.forward(images, true);
          return { loss: hardCrossEntropy(logits, labels), logits };
        };
        const { loss, logits } = updater.update(forward, learningRate);
        const result: StepResult = { loss, parts: { hard_label_loss: loss, top1: top1Percent(logits, labels) } };
        return result as never;
      }),
    toState: () => updater.toState(),
    loadState: (state) => updater.loadState(state),
    dispose: () => {
      updater.dispose();
      network.dispose();
    },
  };
}
