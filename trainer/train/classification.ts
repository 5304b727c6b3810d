/** Training on hard labels: for teachers, starts and the student alone. */
import { hardCrossEntropy } from '../distill/soft-cross-entropy.ts';
import { computeGradients } from '../engine/gradients.ts';
import { tf } from '../engine/tf.ts';
import type { Network } from '../models/network.ts';
import { Sgd, type SgdOptions } from '../optim/sgd.ts';
import { type StepResult, type Task, takePrefix, top1Percent, withPrefix } from './task.ts';

/** Takes over `network`. */
export function createClassificationTask(network: Network, options: SgdOptions): Task {
  const parameters = withPrefix('network.', network.parameters);
  const sgd = new Sgd(parameters, options);
  return {
    network,
    variables: [...parameters.values(), ...network.buffers.values(), ...sgd.variables],
    constants: [],
    step: (images, labels, learningRate) =>
      tf.tidy(() => {
        const { values, gradients } = computeGradients(parameters, () => {
          const logits = network.forward(images, true);
          return { loss: hardCrossEntropy(logits, labels), logits };
        });
        sgd.step(gradients, learningRate);
        const { loss, logits } = values;
        const result: StepResult = { loss, parts: { hard_label_loss: loss, top1: top1Percent(logits, labels) } };
        return result as never;
      }),
    toState: async () => withPrefix('sgd.', await sgd.toState()),
    loadState: (state) => sgd.loadState(takePrefix('sgd.', state)),
    dispose: () => {
      sgd.dispose();
      network.dispose();
    },
  };
}
