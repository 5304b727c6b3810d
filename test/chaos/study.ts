/** The study of a chaos test: a teacher and students that learn from it, told apart by their seeds. */
import { StudyDesign } from '@mealtable/protocol/study-design';
import type { ChaosPlan } from './script.ts';

export const TEACHER_SEED = 0;

/** Each run does its steps while its wave is under fire; the teacher first, as the others wait for it. */
export function makeWindows({
  waves,
  runsPerWave,
  faults,
}: Record<'waves' | 'runsPerWave' | 'faults', number>): ChaosPlan['windows'] {
  const windows: ChaosPlan['windows'] = {};
  for (let seed = 0; seed < waves * runsPerWave; seed++) {
    const wave = Math.floor(seed / runsPerWave);
    const [from, to] = [(faults * wave) / waves, (faults * (wave + 1)) / waves];
    const middle = from + (to - from) / 3;
    windows[seed] = seed === TEACHER_SEED ? [from, middle] : wave === 0 ? [middle, to] : [from, to];
  }
  return windows;
}

const OPTIMIZER = { learningRate: 0.1 };

/** @param students their number; their seeds begin at `first` @param teacherRun an earlier run instead of one of its own */
export function makeDesign(students: number, first = 1, teacherRun: string | null = null): StudyDesign {
  const planned = {
    ...{ key: 'teacher', network: 'resnet18_w8' as const, inputSize: 16, epochs: 1, batchSize: 4 },
    ...{ seed: TEACHER_SEED, optimizer: OPTIMIZER },
  };
  const teacher = teacherRun
    ? { kind: 'run' as const, runId: teacherRun }
    : { kind: 'planned' as const, key: 'teacher' };
  return StudyDesign.parse({
    version: 1,
    dataset: 'toy',
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    epochs: 1,
    batchSize: 4,
    optimizer: OPTIMIZER,
    planned: teacherRun ? [] : [planned],
    baseline: false,
    design: 'full-factorial',
    factors: { teachers: [[teacher]], discriminator: [false], inputSize: [16] },
    list: [],
    seeds: Array.from({ length: students }, (_, i) => first + i),
  });
}
