/** A hub with a study whose runs have succeeded, with real weights of tiny networks. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NetworkName } from '@mealtable/protocol/networks';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { sketchNetwork } from '../../trainer/export/sketch-network.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { elementCount, type StateDict } from '../../trainer/weights/state-dict.ts';
import {
  addHost,
  addStudy,
  type CoreHub,
  ended,
  makeCheckpoint,
  makeDesign,
  metrics,
  plannedRef,
  ScriptedAttempt,
  sha256Of,
  started,
  uploadCheckpoint,
} from '../support/core.ts';
import { hashStateDict } from '../support/hashed-weights.ts';

/** Classes of the dataset that test hosts report. */
const CLASSES = 10;

/** A weights file of made-up numbers, without TensorFlow. @param stream other numbers for another */
export async function makeWeights(network: NetworkName, stream: number, classes = CLASSES): Promise<Buffer> {
  const tensors: StateDict = new Map();
  const add = (name: string, shape: number[]) => {
    tensors.set(name, { dtype: 'F32', shape, data: new Float32Array(elementCount(shape)) });
  };
  for (const layer of sketchNetwork(network, classes).layers) {
    if (layer.kind === 'dense') {
      add(`${layer.name}.weight`, [layer.outputs, layer.inputs]);
      add(`${layer.name}.bias`, [layer.outputs]);
    } else if (layer.kind === 'conv') {
      add(`${layer.name}.weight`, [layer.outputs, layer.inputs / layer.groups, layer.kernel, layer.kernel]);
      if (layer.norm === null) add(`${layer.name}.bias`, [layer.outputs]);
      else
        for (const part of ['weight', 'bias', 'running_mean', 'running_var'])
          add(`${layer.norm.name}.${part}`, [layer.outputs]);
    }
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'mealtable-weights-'));
  try {
    const file = path.join(folder, 'model.safetensors');
    await writeSafetensors(file, hashStateDict(tensors, 24 - stream));
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface FinishedRun {
  runId: string;
  checkpointId: string;
  model: Buffer;
  sha256: string;
}

/** Ends an attempt with one checkpoint that holds `model`. */
export async function finishRun(
  hub: CoreHub,
  grant: { runId: string; attempt: number },
  model: Buffer,
  top1: number,
): Promise<FinishedRun> {
  const trainer = new ScriptedAttempt(hub, grant);
  const checkpoint = makeCheckpoint(hub, 30, top1);
  const sha256 = sha256Of(model);
  checkpoint.contents[0] = model;
  checkpoint.record.files[0] = { name: 'model.safetensors', sha256, sizeBytes: model.length };
  await trainer.send(started(), metrics(30, { 'val/top1': top1 }), checkpoint.record);
  await uploadCheckpoint(hub, checkpoint);
  await trainer.send(ended());
  return { runId: grant.runId, checkpointId: checkpoint.record.checkpointId, model, sha256 };
}

export interface FinishedStudy {
  studyId: string;
  /** In the order in which they ended: the teacher first, then a student for each seed. */
  runs: FinishedRun[];
}

/** One teacher and its student with two seeds, of which the second is the better. */
export async function finishStudy(hub: CoreHub, name: string): Promise<FinishedStudy> {
  const hostId = await addHost(hub);
  const teacher = { key: 'a', network: 'resnet18_w16' as const, inputSize: 24, epochs: 2, batchSize: 16, seed: 1 };
  const design = makeDesign({
    planned: [{ ...teacher, optimizer: { learningRate: 0.1 } }],
    baseline: false,
    factors: { teachers: [[plannedRef('a')]], discriminator: [true], inputSize: [24] },
    seeds: [1, 2],
  });
  const studyId = await addStudy(hub, design, name);
  const runs: FinishedRun[] = [];
  for (;;) {
    const [grant] = await claimRuns(hub, hostId, 1);
    if (!grant) return { studyId, runs };
    const network = (grant.config as { network: NetworkName }).network;
    const seed = (grant.config as { seed: number }).seed;
    runs.push(await finishRun(hub, grant, await makeWeights(network, runs.length + 1), 70 + seed));
  }
}
