/**
 * MEAL V2: the student learns the mean of the teachers' softmaxes and, with the discriminator, a regulariser on its logits.
 * Z. Shen, M. Savvides, arXiv 2009.08453. As in the reference code both losses are summed 1:1, student and discriminator
 * descend the sum together with one learning rate, and hard labels serve for logging only.
 */
import type { Scalar, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { type Discriminator, discriminatorLoss } from '../distill/discriminator.ts';
import { softCrossEntropy } from '../distill/soft-cross-entropy.ts';
import { meanLogits, softLabels } from '../distill/soft-labels.ts';
import type { ForwardResult } from '../engine/gradients.ts';
import { tf } from '../engine/tf.ts';
import type { FrozenNetwork, Network } from '../models/network.ts';
import { type StepResult, type Task, takePrefix, top1Percent, withPrefix } from './task.ts';
import { Updater, type UpdaterOptions } from './updater.ts';

export interface DistillationParts {
  student: Network;
  /** They see the same images as the student. */
  teachers: readonly FrozenNetwork[];
  /** Null: the similarity loss alone. */
  discriminator: Discriminator | null;
}

/** Takes over all networks. */
export function createDistillationTask(networks: DistillationParts, options: UpdaterOptions): Task {
  const { student, teachers, discriminator } = networks;
  const parameters = new Map([
    ...withPrefix('network.', student.parameters),
    ...withPrefix('discriminator.', discriminator?.parameters ?? new Map()),
  ]);
  const updater = new Updater(parameters, options);

  function step(images: Tensor4D, labels: Tensor1D, learningRate: Scalar): StepResult {
    const teacherLogits = teachers.map((teacher) => teacher.forward(images));
    const target = softLabels(teacherLogits);
    const forward = (): ForwardResult => {
      const logits = student.forward(images, true);
      const similarity = softCrossEntropy(logits, target);
      if (discriminator === null) return { loss: similarity, logits };
      const adversarial = discriminatorLoss(discriminator, logits, meanLogits(teacherLogits));
      return { loss: similarity.add(adversarial) as Scalar, logits, similarity, adversarial };
    };
    const { loss, logits, similarity, adversarial } = updater.update(forward, learningRate);
    return {
      loss,
      parts: {
        similarity_loss: (similarity ?? loss) as Scalar,
        ...(adversarial ? { discriminator_loss: adversarial as Scalar } : {}),
        top1: top1Percent(logits as Tensor2D, labels),
      },
    };
  }

  return {
    network: student,
    variables: [...updater.variables, ...student.buffers.values()],
    constants: teachers.flatMap(({ weights }) => weights),
    step: (images, labels, learningRate) => tf.tidy(() => step(images, labels, learningRate) as never),
    toState: async () =>
      new Map([
        ...(await updater.toState()),
        ...withPrefix('discriminator.', (await discriminator?.toStateDict()) ?? new Map()),
      ]),
    loadState: (state) => {
      updater.loadState(state);
      discriminator?.loadStateDict(takePrefix('discriminator.', state));
    },
    dispose: () => {
      updater.dispose();
      discriminator?.dispose();
      for (const network of [student, ...teachers]) network.dispose();
    },
  };
}
