/**
 * MEAL V2: the student learns the mean of the teachers' softmaxes and, with the discriminator, a regulariser on its logits.
 * Z. Shen, M. Savvides, arXiv 2009.08453. As in the reference code both losses are summed 1:1, student and discriminator
 * descend the sum together with one learning rate, and hard labels serve for logging only; a DistillationMethod may say otherwise.
 */
import { type DistillationMethod, MEAL_V2 } from '@mealtable/protocol/distillation-method';
import type { Scalar, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { overMixedLabels } from '../data/mix-images.ts';
import {
  type Discriminator,
  deadOutputs,
  discriminate,
  discriminationLoss,
  discriminatorAccuracy,
} from '../distill/discriminator.ts';
import { drawTeacher, oneTeacher } from '../distill/random-teacher.ts';
import { hardCrossEntropy, similarityLoss } from '../distill/soft-cross-entropy.ts';
import { meanLogits, sharesOf, softened, softLabels } from '../distill/soft-labels.ts';
import type { Tensors } from '../engine/capture.ts';
import type { ForwardResult } from '../engine/gradients.ts';
import { Rng } from '../engine/rng.ts';
import { stepPart } from '../engine/step-part.ts';
import { tf } from '../engine/tf.ts';
import type { FrozenNetwork, Network } from '../models/network.ts';
import { type EnsembleAnswer, givenAnswer } from './given-labels.ts';
import { teacherImages } from './own-teacher-images.ts';
import { type StepResult, type Task, takePrefix, top1Percent, withPrefix } from './task.ts';
import { Updater, type UpdaterOptions } from './updater.ts';

export interface DistillationParts {
  student: Network;
  /**
   * They see the same images as the student, or those of `withTeacherImages`. None: every step is given its soft labels, see
   * `withGivenLabels`.
   */
  teachers: readonly FrozenNetwork[];
  /** Null: no discriminator. Its final ReLU is its own; the rest of the method's options for it are looked at here. */
  discriminator: Discriminator | null;
}

export interface DistillationChoices {
  /** MEAL V2's unless given. */
  method?: DistillationMethod;
  /** One per teacher, above 0; alike unless given. To a random teacher they are the chances to be drawn. */
  teacherWeights?: readonly number[];
  /** The run's: it decides which teacher a step draws. */
  seed?: number;
}

/** The part of a step that its teachers take: none where it is given its soft labels. */
export const TEACHERS_PART = 'teachers';

/** Takes over all networks. */
export function createDistillationTask(
  networks: DistillationParts,
  options: UpdaterOptions,
  choices: DistillationChoices = {},
): Task {
  const { student, teachers, discriminator } = networks;
  const { method = MEAL_V2, teacherWeights = teachers.map(() => 1), seed = 0 } = choices;
  const { ensemble, temperature, hardLabelWeight, labelSmoothing } = method;
  const { gradient, learningRateFactor, inputs: discriminatorInputs } = method.discriminator;
  const parameters = new Map([
    ...withPrefix('network.', student.parameters),
    ...withPrefix('discriminator.', discriminator?.parameters ?? new Map()),
  ]);
  const rateFactors = { ...options.rateFactors, 'discriminator.': learningRateFactor };
  const updater = new Updater(parameters, { ...options, rateFactors });
  const shares = sharesOf(teacherWeights);
  const rng = Rng.seeded(seed);

  function ask(images: Tensor4D, drawn: Tensor1D | undefined): EnsembleAnswer {
    const teacherLogits = teachers.map((teacher) => teacher.forward(images));
    const mean = ensemble === 'mean-logit' ? 'logit' : 'probability';
    const stepShares = drawn ?? shares;
    return {
      softLabels: softLabels(teacherLogits, { mean, temperature, shares: stepShares }),
      logits: meanLogits(teacherLogits, stepShares),
    };
  }

  /** The discriminator's outputs for student and ensemble. */
  function tellApart(judge: Discriminator, logits: Tensor2D, taught: EnsembleAnswer): Tensor2D {
    return discriminatorInputs === 'logits'
      ? discriminate(judge, logits, taught.logits, gradient)
      : discriminate(judge, softened(logits, temperature), taught.softLabels, gradient);
  }

  function step(images: Tensor4D, labels: Tensor1D, learningRate: Scalar, more: Tensors): StepResult {
    const askTeachers = () => ask(teacherImages(images, more), more.teacher as Tensor1D | undefined);
    const taught = givenAnswer(more) ?? stepPart(TEACHERS_PART, askTeachers, (answer) => answer.softLabels);
    const hardLabelLoss = (logits: Tensor2D) =>
      overMixedLabels(labels, more, (given) => hardCrossEntropy(logits, given, labelSmoothing));
    const hardTop1 = (scores: Tensor2D) => overMixedLabels(labels, more, (given) => top1Percent(scores, given));
    const forward = (): ForwardResult => {
      const logits = student.forward(images, true);
      const similarity = similarityLoss(logits, taught.softLabels, temperature);
      const hard = hardLabelWeight === 0 ? null : hardLabelLoss(logits);
      const learnt = hard === null ? similarity : similarity.mul(1 - hardLabelWeight).add(hard.mul(hardLabelWeight));
      const parts = { logits, similarity, ...(hard && { hard }) };
      if (discriminator === null) return { loss: learnt as Scalar, ...parts };
      const outputs = tellApart(discriminator, logits, taught);
      const adversarial = discriminationLoss(outputs);
      return { loss: learnt.add(adversarial) as Scalar, ...parts, outputs, adversarial };
    };
    const { loss, similarity, adversarial, hard, ...tensors } = updater.update(forward, learningRate);
    const logits = tensors.logits as Tensor2D;
    return {
      loss,
      parts: {
        similarity_loss: similarity as Scalar,
        ...(adversarial && { discriminator_loss: adversarial as Scalar }),
        hard_label_loss: (hard as Scalar | undefined) ?? hardLabelLoss(logits),
        top1: hardTop1(logits),
        teacher_agreement: top1Percent(logits, taught.softLabels.argMax(1)),
        ensemble_top1: hardTop1(taught.softLabels),
        ...(tensors.outputs && { discriminator_accuracy: discriminatorAccuracy(tensors.outputs as Tensor2D) }),
        ...(discriminator?.finalRelu && { discriminator_dead_outputs: deadOutputs(tensors.outputs as Tensor2D) }),
      },
    };
  }

  return {
    network: student,
    variables: [...updater.variables, ...student.buffers.values()],
    constants: teachers.flatMap(({ weights }) => weights),
    inputsAt: (step): Tensors =>
      ensemble === 'random-teacher'
        ? { teacher: oneTeacher(drawTeacher(rng, step, teacherWeights), teachers.length) }
        : {},
    step: (images, labels, learningRate, more) => tf.tidy(() => step(images, labels, learningRate, more) as never),
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
