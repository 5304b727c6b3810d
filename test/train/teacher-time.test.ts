/** How long teachers take of a step is found out without changing anything of the run. */
import { MEAL_V2 } from '@mealtable/protocol/distillation-method';
import type { Tensor } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { createDiscriminator } from '../../trainer/distill/discriminator.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import { StepMeter } from '../../trainer/train/step-meter.ts';
import { type StepInputs, StepRunner, type StepRunnerOptions } from '../../trainer/train/step-runner.ts';
import type { Task } from '../../trainer/train/task.ts';
import { TeacherMeter } from '../../trainer/train/teacher-meter.ts';
import { numbersOf } from '../support/captured-steps.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import { CLASSIFICATION } from '../support/trainer-process.ts';

await setUpTensorFlow();

const CLASSES = 7;
const SIZE = 32;
const BATCH = 4;
const STEPS = 4;
const OPTIONS = { momentum: 0.9, weightDecay: 1e-4 };

/** Two frozen teachers of which one is drawn in every step, a student, the discriminator. */
function distillation(): Task {
  const rng = Rng.seeded(3);
  const teachers = (['resnet18_w8', 'resnet34_w8'] as const).map((name) => {
    const network = createNetwork(name, CLASSES, rng.stream(name));
    const frozen = network.freeze();
    network.dispose();
    return frozen;
  });
  const student = createNetwork('resnet18_w8', CLASSES, rng.stream('student'));
  const discriminator = createDiscriminator(CLASSES, rng.stream('discriminator'));
  const choices = { method: { ...MEAL_V2, ensemble: 'random-teacher' }, seed: 5 } as const;
  return createDistillationTask({ student, teachers, discriminator }, OPTIONS, choices);
}

/** A step that looks at numbers while it runs, which no graph can do. */
const asEager = (task: Task): Task => ({
  ...task,
  step: (images, labels, rate, more) => {
    rate.dataSync();
    return task.step(images, labels, rate, more);
  },
});

interface Form extends Pick<StepRunnerOptions, 'precision' | 'stagesInputs'> {
  isEager: boolean;
}
const PLAIN: Form = { precision: 'float32', stagesInputs: false, isEager: false };

interface Played {
  results: Record<string, number>[];
  variables: Float32Array[];
  times: (number | null)[];
  fallbacks: string[];
}

/** `isTimed`: with a look at the teachers' time after every step. */
function play(task: Task, { isEager, ...form }: Form, isTimed: boolean): Played {
  const fallbacks: string[] = [];
  const onFallback = (reason: string) => fallbacks.push(reason);
  const steps = new StepRunner(isEager ? asEager(task) : task, { ...form, cache: null, onFallback });
  const inputs: StepInputs[] = Array.from({ length: STEPS }, (_, step) => {
    const pixels = Uint8Array.from({ length: BATCH * SIZE * SIZE * 3 }, (_, i) => (i * (step + 7)) % 251);
    const labels = Int32Array.from({ length: BATCH }, (_, i) => (i + step) % CLASSES);
    return steps.prepare({ pixels, labels, size: BATCH }, 0.02, step);
  });
  const times: (number | null)[] = [];
  const results = inputs.map((now, step) => {
    const { loss, parts } = steps.run(now, form.stagesInputs ? (inputs[step + 1] ?? null) : null);
    if (isTimed) times.push(steps.timeTeachers(now));
    const numbers = Object.fromEntries(Object.entries({ loss, ...parts }).map(([k, v]) => [k, v.dataSync()[0]!]));
    tf.dispose([loss, parts] as never);
    return numbers;
  });
  steps.pull();
  const variables = numbersOf(task);
  steps.dispose();
  tf.dispose(inputs as unknown as Record<string, Tensor>[]);
  return { results, variables, times, fallbacks };
}

describe('the time that teachers take of a step', () => {
  test.each<[string, Form]>([
    ['a graph', PLAIN],
    ['a graph in bfloat16', { ...PLAIN, precision: 'bfloat16' }],
    ['a graph whose inputs are brought along with the step before', { ...PLAIN, stagesInputs: true }],
    ['steps op by op', { ...PLAIN, isEager: true }],
  ])('of %s: with and without it losses, metrics and all variables are the same to the bit', (_name, form) => {
    const [task, same] = [distillation(), distillation()];
    const before = numbersOf(task);
    const tensors = tf.memory().numTensors;
    const timed = play(task, form, true);
    const untimed = play(same, form, false);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(timed.fallbacks).toHaveLength(form.isEager ? 1 : 0);
    expect(timed.times).toHaveLength(STEPS);
    for (const ms of timed.times) expect(ms).toBeGreaterThan(0);
    expect(timed.results).toEqual(untimed.results);
    expect(timed.variables).toEqual(untimed.variables);
    // It did train.
    expect(timed.variables).not.toEqual(before);
    for (const owner of [task, same]) owner.dispose();
  });

  test('is not known where there are none', () => {
    const task = createClassificationTask(createNetwork('resnet18_w8', CLASSES, Rng.seeded(3)), OPTIONS);
    expect(play(task, PLAIN, true).times).toEqual(Array(STEPS).fill(null));
    task.dispose();
  });
});

test.each([
  ['a graph', PLAIN],
  ['steps op by op', { ...PLAIN, isEager: true }],
])('the third step of %s is recorded with the time of its teachers and of its student', async (_name, form) => {
  const task = distillation();
  const onFallback = () => {};
  const steps = new StepRunner(form.isEager ? asEager(task) : task, { ...form, cache: null, onFallback });
  const batch = { pixels: new Uint8Array(BATCH * SIZE * SIZE * 3), labels: Int32Array.of(0, 1, 2, 3), size: BATCH };
  const values: Record<string, number>[] = [];
  const meter = new StepMeter(
    {
      config: { ...CLASSIFICATION, epochs: 1 },
      steps,
      training: { stepsPerEpoch: STEPS, start: () => {}, peek: async () => batch, take: async () => batch },
      timeTeachers: (inputs) => steps.timeTeachers(inputs),
      records: { write: (body) => (body.kind === 'metrics' ? values.push(body.values) : 0), log: () => 0 },
      now: () => performance.now(),
    },
    1,
    STEPS,
  );
  for (let step = 0; step < 3; step++) await meter.runStep(step);
  const timesOf = (at: number) => ['train/teacher_ms', 'train/student_ms'].map((name) => values[at]![name]);
  expect([timesOf(0), timesOf(1)]).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  for (const ms of timesOf(2)) expect(ms).toBeGreaterThan(0);
  meter.dispose();
  steps.dispose();
  task.dispose();
});

describe('looking at it', () => {
  /** Steps of 100 ms of which teachers are said to take `teacherMs`, which takes as long. */
  function look(teacherMs: number | null, steps: number) {
    let clock = 0;
    let asked = 0;
    const timeTeachers = () => {
      asked++;
      clock += teacherMs ?? 0;
      return teacherMs;
    };
    const meter = new TeacherMeter({ timeTeachers, now: () => clock });
    const looked: number[] = [];
    for (let step = 1; step <= steps; step++) {
      clock += 100;
      if (meter.look({} as StepInputs, 100) > 0) looked.push(step);
    }
    return { meter, looked, asked, share: (looked.length * (teacherMs ?? 0)) / clock };
  }

  test('begins with the third step and takes a hundredth of the time', () => {
    const { looked, share } = look(60, 1000);
    expect(looked.slice(0, 3)).toEqual([3, 63, 123]);
    expect(share).toBeLessThanOrEqual(0.011);
  });

  test('gives the time of the teachers and of what else the step did, once', () => {
    const { meter } = look(60, 3);
    expect(meter.takeMetrics()).toEqual({ 'train/teacher_ms': 60, 'train/student_ms': 40 });
    expect(meter.takeMetrics()).toEqual({});
  });

  test('never finds that a step took less than nothing', () => {
    expect(look(130, 3).meter.takeMetrics()).toEqual({ 'train/teacher_ms': 130, 'train/student_ms': 0 });
  });

  test('ends when a step has no teachers', () => {
    const { meter, asked } = look(null, 100);
    expect(asked).toBe(1);
    expect(meter.takeMetrics()).toEqual({});
  });
});
