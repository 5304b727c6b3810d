/** That the engine's benchmark compares equal work, done the way its labels say. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { computeAsShipped } from '../../bench/engine/as-shipped.ts';
import { type Mode, makeCase } from '../../bench/engine/cases.ts';
import { CONTENDERS, type ContenderId } from '../../bench/engine/contenders.ts';
import type { Job } from '../../bench/engine/job.ts';
import { measureCase } from '../../bench/engine/measure-case.ts';
import { makeBatch, makeWeights } from '../../bench/engine/prepare.ts';
import type { Batch } from '../../bench/engine/steps.ts';
import { load, nextChecks } from '../../bench/engine/tfjs-contender.ts';
import { nativeBackend } from '../../trainer/engine/backend.ts';
import { setTensorFlow, tf } from '../../trainer/engine/tf.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const runtime = await setUpTensorFlow();
const NETWORK = 'resnet18_w8';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  setTensorFlow(runtime.tf);
  vi.restoreAllMocks();
});

/** The checks of a contender's first steps, and the names of the ops that it asked TensorFlow for by name. */
async function checksOf(contender: ContenderId, mode: Mode): Promise<{ checks: number[]; ops: Set<string> }> {
  const measured = makeCase(NETWORK, mode, 64, 4, 10);
  const job: Job = {
    contender,
    case: measured,
    threads: 1,
    folder,
    learningRate: 0.01,
    momentum: 0.9,
    cacheFolder: path.join(folder, 'graphs'),
  };
  const state = await makeWeights(NETWORK, 10);
  const data = makeBatch(measured);
  const tensor = (name: string) => tf.tensor(data.get(name)!.data as Float32Array, data.get(name)!.shape);
  const batch: Batch = {
    images: tensor('images') as Tensor4D,
    softLabels: tensor('soft_labels') as Tensor2D,
    learningRate: tf.scalar(job.learningRate),
  };
  const native = nativeBackend()!;
  const spies = [vi.spyOn(native, 'executeSingleOutput'), vi.spyOn(native, 'executeMultipleOutputs')];
  if (contender === 'tfjs') computeAsShipped(runtime.tf);
  const loaded = await load(job, state, batch);
  const checks = Array.from({ length: mode === 'training' ? 4 : 1 }, () => nextChecks(loaded, batch)).flat();
  const ops = new Set(spies.flatMap((spy) => spy.mock.calls.map(([name]) => name)));
  setTensorFlow(runtime.tf);
  loaded.dispose();
  tf.dispose([batch.images, batch.softLabels, batch.learningRate]);
  vi.restoreAllMocks();
  return { checks, ops };
}

describe.skipIf(runtime.backend !== 'tensorflow')('the contenders on tfjs-node', () => {
  test('train alike: the same weights and batch give the same losses over several steps', async () => {
    const { checks } = await checksOf('eager', 'training');
    // Else all could agree by not training at all.
    expect(checks[3]).toBeLessThan(checks[0]! - 0.01);
    expectClose((await checksOf('tfjs', 'training')).checks, checks, 1e-4);
    expectClose((await checksOf('captured', 'training')).checks, checks, 1e-4);
  });

  test('predict alike, with batch norm folded or not', async () => {
    const { checks } = await checksOf('eager', 'inference');
    expectClose((await checksOf('tfjs', 'inference')).checks, checks, 1e-4);
    expectClose((await checksOf('captured', 'inference')).checks, checks, 1e-4);
  });

  test('"as shipped" means without our kernels', async () => {
    const own = ['FusedBatchNormGradV3', 'ReluGrad'];
    const { ops } = await checksOf('eager', 'training');
    expect(own.filter((op) => ops.has(op))).toEqual(own);
    const shipped = (await checksOf('tfjs', 'training')).ops;
    expect([...own, 'FusedBatchNormV3', '_MklNativeMaxPool'].filter((op) => shipped.has(op))).toEqual([]);
    expect(shipped.size).toBeGreaterThan(5);
  });

  test('are measured in processes of their own, which leave nothing behind; one that dies is left out with its last words', async () => {
    const node = CONTENDERS.find(({ id }) => id === 'eager')!;
    const lines: string[] = [];
    const result = await measureCase(
      makeCase(NETWORK, 'training', 32, 2, 10),
      [node, { ...node, id: 'torch', program: path.join(folder, 'missing.ts') }],
      { python: 'python3', threads: 1, rounds: 2, turnSeconds: 0.01, folder, log: (line) => lines.push(line) },
    );
    expect(result.measured.map(({ id }) => id)).toEqual(['eager']);
    const [eager] = result.measured;
    expect(eager!.rounds).toHaveLength(2);
    expect(eager!.rate.min).toBeGreaterThan(0);
    expect(eager!.checks).toHaveLength(2);
    if (process.platform === 'linux') expect(eager!.peakBytes).toBeGreaterThan(50e6);
    expect(result.leftOut).toEqual([{ id: 'torch', reason: expect.stringMatching(/exit code 1: .*missing\.ts/) }]);
    expect(lines.filter((line) => line.startsWith('  round'))).toHaveLength(2);
    expect((await readdir(folder)).filter((name) => name !== 'graphs')).toEqual([]);
  });
});
