/** The smallest networks: what they compute is known in closed form, so whole training steps can be checked by hand. */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../../trainer/engine/tf.ts';
import type { FrozenNetwork, Network } from '../../trainer/models/network.ts';
import { ParameterStore } from '../../trainer/weights/parameter-store.ts';

/** Logits = mean colour of the image [N, 3] times the weights [3, classes]. */
export function createLinearNetwork(weights: number[][]): Network {
  const store = new ParameterStore();
  tf.tidy(() => store.addParameter('weight', 'plain', tf.tensor2d(weights)));
  const weight = store.parameters.get('weight')!;
  const forward = (images: Tensor4D) => tf.tidy(() => tf.mean(images, [1, 2]).matMul(weight) as Tensor2D);
  const numClasses = weights[0]!.length;
  return {
    name: 'resnet18_w8',
    numClasses,
    parameters: store.parameters,
    buffers: store.buffers,
    forward,
    toStateDict: () => store.toStateDict(),
    toSource: () => store.toSource(),
    loadStateDict: (stateDict) => store.loadStateDict(stateDict),
    load: (source, options) => store.load(source, options),
    freeze: () => {
      const copy = tf.tidy(() => tf.keep(weight.clone())) as Tensor2D;
      return {
        name: 'resnet18_w8',
        numClasses,
        weights: [copy],
        forward: (images) => tf.tidy(() => tf.mean(images, [1, 2]).matMul(copy) as Tensor2D),
        dispose: () => copy.dispose(),
      };
    },
    dispose: () => store.dispose(),
  };
}

export function createLinearTeacher(weights: number[][]): FrozenNetwork {
  const network = createLinearNetwork(weights);
  const frozen = network.freeze();
  network.dispose();
  return frozen;
}

/** Images of one pixel, [rows, 1, 1, 3]; with the rows of the unit matrix the logits are the rows of the weights. */
export function colourImages(rows: number[][]): Tensor4D {
  return tf.tensor4d(rows.flat(), [rows.length, 1, 1, 3]);
}
