/** A captured step computes what the eager one computes, or is refused by the name of the op that stands in the way. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDiscriminator } from '../../trainer/distill/discriminator.ts';
import { CannotCapture, capture } from '../../trainer/engine/capture.ts';
import { activeRecorder } from '../../trainer/engine/graph/recorder.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { stepPart } from '../../trainer/engine/step-part.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { createDistillationTask } from '../../trainer/train/distillation.ts';
import type { Task } from '../../trainer/train/task.ts';
import { captureTask, makeInputs, numbersOf, play, relativeDifference, stepOf } from '../support/captured-steps.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const CLASSES = 7;
const variable = (values: number[]) => tf.tidy(() => tf.variable(tf.tensor1d(values)));
const OPTIONS = { momentum: 0.9, weightDecay: 1e-4 };

function classification(network: Parameters<typeof createNetwork>[0]): Task {
  return createClassificationTask(createNetwork(network, CLASSES, Rng.seeded(3)), OPTIONS);
}

/** MEAL V2 in full: two frozen teachers, a student, the discriminator. */
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
  return createDistillationTask({ student, teachers, discriminator }, OPTIONS);
}

describe('a captured step equals the eager one over 20 steps', () => {
  function compare(create: () => Task, size: number, rate: number, numbers: (task: Task) => Float32Array[]): void {
    const [eager, graph] = [create(), create()];
    const inputs = makeInputs(8, size, CLASSES, rate);
    const captured = captureTask(graph, inputs);
    const expected = play(stepOf(eager), inputs, 20);
    const actual = play((given) => captured.run(given), inputs, 20);
    captured.pull();
    for (const [step, values] of expected.entries()) {
      for (const [name, value] of Object.entries(values)) {
        const difference = Math.abs(actual[step]![name]! - value);
        expect(difference, `${name} of step ${step}`).toBeLessThanOrEqual(1e-5 * Math.abs(value));
      }
    }
    expect(relativeDifference(numbers(graph), numbers(eager))).toBeLessThanOrEqual(1e-5);
    // It did train: otherwise equal numbers would mean nothing.
    expect(actual.at(-1)!.loss).toBeLessThan(0.995 * actual[0]!.loss!);
    captured.dispose();
    tf.dispose(inputs);
    for (const task of [eager, graph]) task.dispose();
  }

  test.each([
    ['a ResNet', () => classification('resnet18_w8')],
    ['a ResNet with bottlenecks', () => classification('resnet50_w8')],
    ['MEAL V2 with two teachers and the discriminator', distillation],
  ])('%s', (_, create) => compare(create, 32, 0.02, numbersOf));

  // Rounding grows faster in it: an input changed by its last bit moves gradients by 5e-4, eagerly too. So the steps are small,
  // and weights are compared without slots and statistics: gradients and means that are mostly rounding where they are near 0.
  test('a MobileNet', () => {
    const weightsOf = ({ network }: Task) =>
      [...network.parameters.values()].map((weight) => weight.dataSync().slice());
    compare(() => classification('tf_mobilenetv3_small_025'), 64, 1e-6, weightsOf as (task: Task) => Float32Array[]);
  });
});

describe('capturing', () => {
  test('leaves the variables as they were, and no tensors', () => {
    const task = distillation();
    const inputs = makeInputs(4, 32, CLASSES, 0.02);
    const before = numbersOf(task);
    const tensors = tf.memory().numTensors;
    const captured = captureTask(task, inputs);
    expect(relativeDifference(numbersOf(task), before)).toBe(0);
    expect(tf.memory().numTensors).toBe(tensors);
    captured.pull();
    expect(relativeDifference(numbersOf(task), before)).toBe(0);
    captured.dispose();
    task.dispose();
    tf.dispose(inputs);
  });

  test('push sets the session to the variables, pull sets the variables to the session', () => {
    const weight = variable([1, 2]);
    const captured = capture(
      () => {
        weight.assign(weight.mul(2));
        return { sum: weight.sum() };
      },
      {
        inputs: {},
        variables: [weight],
      },
    );
    const sum = () => tf.tidy(() => captured.run({}).sum.dataSync()[0]);
    expect([sum(), sum()]).toEqual([6, 12]);
    expect([...weight.dataSync()]).toEqual([1, 2]);
    captured.pull();
    expect([...weight.dataSync()]).toEqual([4, 8]);
    tf.tidy(() => weight.assign(tf.tensor1d([10, 20])));
    captured.push();
    expect(sum()).toBe(60);
    captured.dispose();
    weight.dispose();
  });

  test('a step takes the inputs that were brought along with the one before it', () => {
    const sum = variable([0]);
    const batches = [1, 2, 3, 4].map((value) => ({ x: tf.tensor1d([value]) }));
    const step = ({ x }: { x: Tensor }) => {
      sum.assign(sum.mul(10).add(x));
      return { sum: sum.clone() };
    };
    const captured = capture(step, { inputs: batches[0]!, variables: [sum], staged: true });
    const run = (now: number, next?: number) =>
      tf.tidy(() => captured.run(batches[now]!, next === undefined ? null : batches[next]!).sum.dataSync()[0]);
    expect([run(0, 1), run(1, 2), run(2), run(3)]).toEqual([1, 12, 123, 1234]);
    // Another one than was announced.
    expect([run(0, 1), run(2, 3), run(3)]).toEqual([12341, 123413, 1234134]);
    captured.dispose();
    // Where nothing is staged an announcement changes nothing.
    tf.tidy(() => sum.assign(tf.tensor1d([0])));
    const plain = capture(step, { inputs: batches[0]!, variables: [sum] });
    const numbers = [0, 1].map((k) => tf.tidy(() => plain.run(batches[k]!, batches[k + 1]!).sum.dataSync()[0]));
    expect(numbers).toEqual([1, 12]);
    plain.dispose();
    sum.dispose();
    tf.dispose(batches);
  });

  test.each([false, true])('a part of a step is computed alone and assigns nothing; staged: %s', (staged) => {
    const sum = variable([0]);
    const batches = [1, 2, 3].map((value) => ({ x: tf.tensor1d([value]) }));
    const step = ({ x }: { x: Tensor }) => {
      const doubled = stepPart(
        'doubled',
        () => x.mul(sum.add(1)).mul(2),
        (result) => result,
      );
      sum.assign(sum.mul(10).add(x));
      return { sum: sum.clone(), doubled: doubled.sum() };
    };
    const captured = capture(step, { inputs: batches[0]!, variables: [sum], staged });
    const run = (now: number, next?: number) =>
      tf.tidy(() => captured.run(batches[now]!, next === undefined ? null : batches[next]!).sum.dataSync()[0]);
    const part = (now: number) => tf.tidy(() => captured.runPart('doubled', batches[now]!).dataSync()[0]);
    expect([...captured.parts]).toEqual(['doubled']);
    // By the variables of the session, before any step and between steps; the next step takes what was announced before.
    expect([part(2), run(0, 1), part(0), part(2), run(1), part(1), run(2)]).toEqual([6, 1, 4, 12, 12, 52, 123]);
    expect(() => captured.runPart('halved', batches[0]!)).toThrow('The captured step has no part halved.');
    captured.dispose();
    sum.dispose();
    tf.dispose(batches);
  });

  test('inputs of another shape are refused by name', () => {
    const [x, longer] = [tf.tensor1d([1, 2]), tf.tensor1d([1, 2, 3])];
    const captured = capture(({ x }) => ({ y: x.add(1) }), { inputs: { x }, variables: [] });
    expect(() => captured.run({ x: longer })).toThrow('The captured step wants float32[2] for x, not float32[3].');
    captured.dispose();
    tf.dispose([x, longer]);
  });

  test('a variable changed in place is read anew only where that is asked for', () => {
    const weight = variable([1, 2]);
    const slot = variable([0, 0]);
    const average = variable([0, 0]);
    const update = () => {
      const operands = [weight, slot, tf.scalar(0.5), tf.tensor1d([2, 2]), tf.scalar(0.9)];
      const attributes = { T: { kind: 'type', value: 'float32' } } as const;
      activeRecorder()!.updateInPlace('ResourceApplyMomentum', [weight, slot], operands, attributes);
    };
    const step = () =>
      tf.tidy(() => {
        update();
        average.assign(activeRecorder()!.readUpdated(weight).mul(3));
        return { seen: average.sum() };
      });
    const captured = capture(step, { inputs: {}, variables: [weight, slot, average] });
    // w = [1, 2] - 0.5 [2, 2], and the average three times that.
    expect(tf.tidy(() => captured.run({}).seen.dataSync()[0])).toBe(3);
    captured.dispose();
    const careless = () => {
      update();
      return { seen: weight.sum() };
    };
    expect(() => capture(careless, { inputs: {}, variables: [weight, slot] })).toThrow(
      'The step cannot be captured at Sum: it reads a variable after an update in place.',
    );
    for (const variable of [weight, slot, average]) variable.dispose();
  });
});

describe('what a graph cannot do is refused by name, and nothing has changed then', () => {
  const x = () => tf.tensor1d([1, 2]);
  test.each([
    ['a look at numbers', 'dataSync', () => tf.scalar(x().sum().dataSync()[0]!)],
    ['JavaScript’s random numbers', 'Math.random', () => tf.randomNormal([2]).sum()],
    ['TensorFlow’s random numbers', 'Multinomial', () => tf.multinomial(x(), 1, 7)],
  ])('%s', (_, op, body) => {
    const counter = variable([1]);
    const tensors = tf.memory().numTensors;
    const step = () => {
      counter.assign(counter.add(1));
      return { result: body() };
    };
    expect(() => capture(step, { inputs: {}, variables: [counter] })).toThrow(expect.objectContaining({ op }));
    expect(counter.dataSync()[0]).toBe(1);
    expect(tf.memory().numTensors).toBe(tensors);
    counter.dispose();
  });

  test('a tensor or a variable from elsewhere', () => {
    const [listed, stranger] = [variable([1]), variable([2])];
    const constant = tf.scalar(3);
    for (const other of [stranger, tf.tidy(() => tf.keep(constant.add(1)))]) {
      const step = () => ({ sum: tf.add(listed, other) });
      expect(() => capture(step, { inputs: {}, variables: [listed] })).toThrow(CannotCapture);
      expect(() => capture(step, { inputs: {}, variables: [listed] })).toThrow(
        'The step cannot be captured at Add: it reads a tensor that is neither input, variable nor constant.',
      );
      other.dispose();
    }
    constant.dispose();
    listed.dispose();
  });
});

describe('the graph cache', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mealtable-cache-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const make = (key: string, factor: number) => {
    const weight = variable([2]);
    let recordings = 0;
    const x = tf.scalar(5);
    const step = ({ x }: { x: typeof weight }) => {
      recordings++;
      return { y: tf.tidy(() => x.mul(weight).mul(factor)) };
    };
    const captured = capture(step as never, { inputs: { x }, variables: [weight], cache: { folder, key } });
    const value = tf.tidy(() => (captured.run({ x }) as Record<string, typeof x>).y!.dataSync()[0]);
    const { fromCache } = captured;
    captured.dispose();
    weight.dispose();
    x.dispose();
    return { value, recordings, fromCache };
  };

  test('a configuration is recorded once', () => {
    expect(make('a', 1)).toEqual({ value: 10, recordings: 1, fromCache: false });
    expect(make('a', 1)).toEqual({ value: 10, recordings: 0, fromCache: true });
    expect(make('b', 3)).toEqual({ value: 30, recordings: 1, fromCache: false });
  });

  test('knows a step’s parts', () => {
    const x = tf.scalar(5);
    const step = ({ x }: { x: Tensor }) => ({
      y: stepPart(
        'double',
        () => x.mul(2),
        (double) => double,
      ).add(1),
    });
    const doubles = [false, true].map((fromCache) => {
      const captured = capture(step, { inputs: { x }, variables: [], cache: { folder, key: 'parts' } });
      expect(captured.fromCache).toBe(fromCache);
      const double = tf.tidy(() => captured.runPart('double', { x }).dataSync()[0]);
      captured.dispose();
      return double;
    });
    expect(doubles).toEqual([10, 10]);
    x.dispose();
  });

  test('a damaged graph is recorded again', () => {
    make('c', 1);
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name, 'saved_model.pb'), 'broken');
    expect(make('c', 1)).toEqual({ value: 10, recordings: 1, fromCache: false });
    expect(make('c', 1)).toEqual({ value: 10, recordings: 0, fromCache: true });
  });

  test('another shape under the same key is another graph', () => {
    const x = tf.zeros([3]);
    const captured = capture(({ x }) => ({ y: x.sum() }), {
      inputs: { x },
      variables: [],
      cache: { folder, key: 'a' },
    });
    expect(captured.fromCache).toBe(false);
    captured.dispose();
    x.dispose();
  });
});
