/** MEAL V1's ensemble in whole steps: each learns from the teacher that its number draws. */
import type { Tensor } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { drawTeacher } from '../../trainer/distill/random-teacher.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { StepRunner } from '../../trainer/train/step-runner.ts';
import { captureTask, stepOf } from '../support/captured-steps.ts';
import { TEACHERS } from '../support/synthetic-case.ts';
import { type Choices, createTask, inputsOf, readAll, runStep } from '../support/synthetic-task.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

describe('one random teacher per batch', () => {
  const random: Choices = { method: { ensemble: 'random-teacher' }, seed: 7, hasDiscriminator: true };
  const drawn = [0, 1, 2, 3, 4, 5].map((step) => drawTeacher(Rng.seeded(7), step, [1, 1]));

  test.each(['eager', 'captured'])(
    '%s: each step is that of the drawn teacher alone, for the discriminator too',
    (form) => {
      expect(new Set(drawn).size).toBe(2);
      const task = createTask(random);
      const example = inputsOf(task);
      const captured = form === 'captured' ? captureTask(task, example) : null;
      tf.dispose(example);
      // Rows of zeros for the teacher that is not asked would not do: the single one decides every number.
      const singles = [0, 1].map((k) => createTask({ teachers: [TEACHERS[k]!], hasDiscriminator: true }));
      for (const [step, teacher] of drawn.entries()) {
        const inputs = inputsOf(task, step, 0);
        const results = captured === null ? tf.tidy(() => stepOf(task)(inputs) as never) : captured.run(inputs);
        const expected = runStep(singles[teacher]!, 0, 0);
        for (const [name, value] of Object.entries(readAll(results as Record<string, Tensor>)))
          expect(value, `${name} of step ${step}`).toBeCloseTo(expected[name]!, 5);
        tf.dispose([inputs, results] as never);
      }
      captured?.dispose();
      for (const owner of [task, ...singles]) owner.dispose();
    },
  );

  test('reaches the trainer’s steps by their number: a resumed run learns from the same teachers', () => {
    const task = createTask(random);
    const onFallback = (reason: string) => expect.unreachable(reason);
    const steps = new StepRunner(task, { precision: 'float32', cache: null, stagesInputs: false, onFallback });
    const batch = { pixels: new Uint8Array(2 * 3), labels: Int32Array.from([0, 7]), size: 2 };
    const asked = [4, 0, 1].map((step) => {
      const inputs = steps.prepare(batch as never, 0.1, step);
      const teacher = [...inputs.teacher!.dataSync()].indexOf(1);
      tf.dispose(inputs);
      return teacher;
    });
    expect(asked).toEqual([drawn[4], drawn[0], drawn[1]]);
    steps.dispose();
    task.dispose();
  });

  test('of another seed is another; of one teacher always that one', () => {
    const of = (choices: Choices) => {
      const task = createTask(choices);
      const chosen = Array.from({ length: 32 }, (_, step) => {
        const inputs = task.inputsAt!(step, 2);
        const [teacher] = [[...inputs.teacher!.dataSync()].indexOf(1)];
        tf.dispose(inputs);
        return teacher;
      });
      task.dispose();
      return chosen;
    };
    expect(of({ ...random, seed: 6 })).not.toEqual(of(random));
    expect(of({ ...random, teacherWeights: [1, 1000] }).filter((k) => k === 1).length).toBeGreaterThan(28);
    expect(new Set(of({ ...random, teachers: [TEACHERS[0]] }))).toEqual(new Set([0]));
  });
});
