/** The steps that are measured, in the trainer's own code: a training step and a forward pass. */
import type { Scalar, Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { Network } from '../../trainer/models/network.ts';
import { Sgd } from '../../trainer/optim/sgd.ts';

/** The optimiser of every contender, ours and the peers': MEAL V2's, with a rate at which random weights stay finite. */
export const LEARNING_RATE = 0.01;
export const SGD_OPTIONS = { momentum: 0.9, weightDecay: 0 } as const;

/** Float32 [batch, height, width, 3]. */
export type Images = { images: Tensor4D };
/** `softLabels` [batch, classes], whose rows sum to 1. */
export type Batch = Images & { softLabels: Tensor2D; learningRate: Scalar };

export interface Step<I extends Record<string, Tensor>, O extends Record<string, Tensor>> {
  /** The outputs are the caller's. */
  run(inputs: I): O;
  /** What outlives a run and is read or assigned by it, and what is only read, as `capture` wants them. */
  variables: readonly Variable[];
  constants: readonly Tensor[];
  dispose(): void;
}

/** Forward, backward and update against soft labels; the loss is the one before the update. Takes over `network`. */
export function createTrainingStep(network: Network): Step<Batch, { loss: Scalar }> {
  const sgd = new Sgd(network.parameters, SGD_OPTIONS);
  return {
    run: ({ images, softLabels, learningRate }) =>
      tf.tidy(() => {
        const { values, gradients } = computeGradients(network.parameters, () => ({
          loss: softCrossEntropy(network.forward(images, true), softLabels),
        }));
        sgd.step(gradients, learningRate);
        return { loss: values.loss };
      }),
    variables: [...network.parameters.values(), ...network.buffers.values(), ...sgd.variables],
    constants: [],
    dispose: () => {
      sgd.dispose();
      network.dispose();
    },
  };
}

/** Logits by the running statistics, with every batch norm folded away. Takes over `network`. */
export function createFrozenStep(network: Network): Step<Images, { logits: Tensor2D }> {
  const frozen = network.freeze();
  network.dispose();
  return {
    run: ({ images }) => ({ logits: frozen.forward(images) }),
    variables: [],
    constants: frozen.weights,
    dispose: () => frozen.dispose(),
  };
}

/** The same logits from the network as it is trained, batch norm after each convolution. Takes over `network`. */
export function createUnfoldedStep(network: Network): Step<Images, { logits: Tensor2D }> {
  return {
    run: ({ images }) => ({ logits: network.forward(images, false) }),
    variables: [],
    constants: [...network.parameters.values(), ...network.buffers.values()],
    dispose: () => network.dispose(),
  };
}
