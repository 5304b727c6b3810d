/** Training on hard labels: for teachers, starts and the student alone. */
import { overMixedLabels } from '../data/mix-images.ts';
import { hardCrossEntropy } from '../distill/soft-cross-entropy.ts';
import { tf } from '../engine/tf.ts';
import type { Network } from '../models/network.ts';
import { type StepResult, type Task, top1Percent, withPrefix } from './task.ts';
import { Updater, type UpdaterOptions } from './updater.ts';

/** Takes over `network`. With smoothing the labels are those that `hardCrossEntropy` makes of it. */
export function createClassificationTask(network: Network, options: UpdaterOptions, labelSmoothing = 0): Task {
  const updater = new Updater(withPrefix('network.', network.parameters), options);
  return {
    network,
    variables: [...updater.variables, ...network.buffers.values()],
    constants: [],
    step: (images, labels, learningRate, more) =>
      tf.tidy(() => {
        const forward = () => {
          const logits = network.forward(images, true);
          return {
            loss: overMixedLabels(labels, more, (given) => hardCrossEntropy(logits, given, labelSmoothing)),
            logits,
          };
        };
        const { loss, logits } = updater.update(forward, learningRate);
        const top1 = overMixedLabels(labels, more, (given) => top1Percent(logits, given));
        const result: StepResult = { loss, parts: { hard_label_loss: loss, top1 } };
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
