import { createHash, randomBytes } from 'node:crypto';
import type { Grant, GrantInput } from '@mealtable/protocol/agent-messages';
import { makeId } from '@mealtable/protocol/ids';
import type { CheckpointFile } from '@mealtable/protocol/records';
import type { FakeScript } from './fake-script.ts';

export const newRunId = () => makeId('run', Date.now(), randomBytes(12));

export function makeGrant(script: FakeScript, overrides: Partial<Grant> = {}): Grant {
  return {
    runId: newRunId(),
    attempt: 1,
    label: JSON.stringify(script),
    config: {
      task: 'classification',
      version: 1,
      dataset: 'toy',
      network: 'resnet18_w8',
      initialisation: { kind: 'random' },
      inputSize: 32,
      epochs: 1,
      batchSize: 8,
      seed: 0,
      optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0, schedule: { kind: 'constant' } },
      precision: 'float32',
    },
    teachers: [],
    initialisation: null,
    resume: null,
    ...overrides,
  };
}

export function fileOf(bytes: Buffer, name = 'model.safetensors'): CheckpointFile {
  return { name, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}

export function makeInput(bytes: Buffer): GrantInput {
  return { runId: newRunId(), network: 'resnet18_w8', classCount: 2, file: fileOf(bytes) };
}
