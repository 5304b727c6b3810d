/** The studies that the simulated agents work at: baselines, which wait for nothing, as many as there are slots. */
import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { MAX_RUNS_PER_STUDY } from '@mealtable/protocol/tunables';
import type { Api } from '../../test/support/hub-process.ts';

export const DATASET: DatasetReport = {
  ...{ name: 'bench', classNames: ['a', 'b'], classLabels: null, trainCount: 1_000, valCount: 100, fingerprint: 'f' },
  problems: [],
};

/** Each seed is a baseline and a student, and the student waits for the study's one teacher. */
const SEEDS_PER_STUDY = Math.floor((MAX_RUNS_PER_STUDY - 1) / 2);

/** @returns ids of studies in which at least `runs` runs can be taken at once */
export async function createStudies(api: Api, runs: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = runs; left > 0; left -= SEEDS_PER_STUDY) {
    const design = makeDesign(Math.min(left, SEEDS_PER_STUDY));
    const { id } = await api.studies.create.mutate({ name: `Bench ${ids.length + 1}`, design });
    ids.push(id);
  }
  return ids;
}

function makeDesign(seeds: number): StudyDesign {
  const budget = { epochs: 10_000, batchSize: 10, optimizer: { learningRate: 0.1 } };
  return StudyDesign.parse({
    version: 1,
    dataset: DATASET.name,
    student: { network: 'resnet18', initialisation: { kind: 'random' } },
    ...budget,
    planned: [{ key: 'teacher', network: 'resnet18', inputSize: 32, seed: 0, ...budget }],
    baseline: true,
    design: 'full-factorial',
    factors: { teachers: [[{ kind: 'planned', key: 'teacher' }]], discriminator: [true], inputSize: [32] },
    list: [],
    seeds: Array.from({ length: seeds }, (_, i) => i),
  });
}
