/** Writes the weights and the batch that all contenders of a case start from. Run as `node prepare.ts JOB` (job.ts). */
import path from 'node:path';
import { NetworkName } from '@mealtable/protocol/networks';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import type { Case } from './cases.ts';
import type { Job } from './job.ts';

const SEED = 1;
/** Instead of 0, with which a fresh network's residual branches are silent and a wrong one would go unnoticed. */
const LAST_GAMMA = 0.25;

/** Freshly initialised weights of the case's network, with every block switched on. */
export async function makeWeights(network: string, classes: number): Promise<StateDict> {
  const created = createNetwork(NetworkName.parse(network), classes, Rng.seeded(SEED));
  const state = await created.toStateDict();
  created.dispose();
  for (const [name, { data, shape }] of state) {
    const isSilentScale = name.endsWith('.weight') && shape.length === 1 && data.every((value) => Number(value) === 0);
    if (isSilentScale) (data as Float32Array).fill(LAST_GAMMA);
  }
  return state;
}

/** Standard normal pixels, and soft labels as teachers give them: a softmax of normal logits. */
export function makeBatch({ batch, inputSize, classes }: Case): StateDict {
  const rng = Rng.seeded(SEED, 'batch');
  const images = new Float32Array(batch * inputSize * inputSize * 3);
  rng.fillNormal(images, 1);
  const softLabels = new Float32Array(batch * classes);
  rng.fillNormal(softLabels, 2);
  for (let row = 0; row < batch; row++) {
    const labels = softLabels.subarray(row * classes, (row + 1) * classes);
    for (let c = 0; c < classes; c++) labels[c] = Math.exp(labels[c]!);
    const total = labels.reduce((sum, value) => sum + value, 0);
    for (let c = 0; c < classes; c++) labels[c]! /= total;
  }
  return new Map([
    ['images', { dtype: 'F32', shape: [batch, inputSize, inputSize, 3], data: images }],
    ['soft_labels', { dtype: 'F32', shape: [batch, classes], data: softLabels }],
  ]);
}

if (process.argv[1] === import.meta.filename) {
  const job = JSON.parse(process.argv[2]!) as Job;
  await loadRuntime();
  await writeSafetensors(
    path.join(job.folder, 'weights.safetensors'),
    await makeWeights(job.case.network, job.case.classes),
  );
  await writeSafetensors(path.join(job.folder, 'batch.safetensors'), makeBatch(job.case));
}
