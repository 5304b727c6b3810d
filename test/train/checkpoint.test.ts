import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type CheckpointContent,
  openCheckpoint,
  pruneCheckpoints,
  writeCheckpoint,
} from '../../trainer/train/checkpoint.ts';
import { UPLOADED_MARK } from '../../trainer/train/job.ts';
import { readAll } from '../../trainer/weights/tensor-source.ts';

const ID = (n: number) => `ckp_${String(n).padStart(22, '0')}`;
const content: CheckpointContent = {
  model: new Map([
    ['fc.weight', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, Number.NaN) }],
    ['bn.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(0n) }],
  ]),
  state: new Map([
    ['sgd.network.fc.weight', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(0.1, -0, 1e-40, 3) }],
  ]),
  progress: {
    version: 1,
    runId: `run_${'0'.repeat(22)}`,
    network: 'resnet18_w8',
    classCount: 3,
    trainImages: 36,
    stepsCompleted: 12,
    epochsValidated: 2,
    best: { top1: 33.3, epoch: 1, checkpointId: ID(1) },
    backend: 'test',
  },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what is written is read back to the bit, and the manifest fits the files', async () => {
  const files = await writeCheckpoint(folder, ID(1), content);
  expect(readdirSync(folder)).toEqual([ID(1)]);
  expect(files.map(({ name }) => name)).toEqual(['model.safetensors', 'state.safetensors', 'progress.json']);
  for (const { name, sha256, sizeBytes } of files) {
    const bytes = readFileSync(join(folder, ID(1), name));
    expect(bytes.length).toBe(sizeBytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  }
  const { model, state, progress } = await openCheckpoint(join(folder, ID(1)));
  expect({ model: await readAll(model), state, progress }).toEqual(content);
  await model.close();
});

test('when a part cannot be written nothing is left', async () => {
  const broken = {
    ...content,
    state: new Map([['x', { dtype: 'F32' as const, shape: [3], data: Float32Array.of(1) }]]),
  };
  await expect(writeCheckpoint(folder, ID(2), broken)).rejects.toThrow(/x holds 1 elements/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a checkpoint with a damaged file is refused with its name', async () => {
  await writeCheckpoint(folder, ID(1), content);
  const path = join(folder, ID(1));
  writeFileSync(join(path, 'progress.json'), '{"version":2}');
  await expect(openCheckpoint(path)).rejects.toThrow(/progress\.json is not a checkpoint's progress/);
  rmSync(join(path, 'progress.json'));
  await expect(openCheckpoint(path)).rejects.toThrow(/progress\.json/);
});

test('only uploaded checkpoints that are neither best nor latest are deleted', async () => {
  for (const [n, uploaded] of [
    [1, true],
    [2, true],
    [3, false],
    [4, true],
  ] as const) {
    mkdirSync(join(folder, ID(n)));
    if (uploaded) writeFileSync(join(folder, ID(n), UPLOADED_MARK), '');
  }
  await pruneCheckpoints(folder, new Set([ID(1), ID(4)]));
  expect([1, 2, 3, 4].map((n) => existsSync(join(folder, ID(n))))).toEqual([true, false, true, true]);
});
