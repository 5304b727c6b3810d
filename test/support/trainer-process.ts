/** Starts real trainer processes on made-up work orders and reads what they leave. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttemptRecord,
  CHECKPOINT_FILES,
  type CheckpointRecord,
  type MetricsRecord,
} from '@mealtable/protocol/records';
import type { RunConfig, TrainingConfig } from '@mealtable/protocol/run-config';
import { ATTEMPT_FILES, type TrainerJob } from '../../trainer/train/job.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';

export const runId = (n: number) => `run_${String(n).padStart(22, '0')}`;

export const CLASSIFICATION: Extract<TrainingConfig, { task: 'classification' }> = {
  version: 1,
  task: 'classification',
  dataset: 'test',
  network: 'resnet18_w8',
  initialisation: { kind: 'random' },
  inputSize: 16,
  epochs: 2,
  batchSize: 4,
  seed: 1,
  optimizer: { learningRate: 0.05, momentum: 0.9, weightDecay: 0, schedule: { kind: 'constant' } },
  precision: 'float32',
};

export type JobParts = Partial<Omit<TrainerJob, 'grant' | 'datasetPath'>> & { grant?: Partial<TrainerJob['grant']> };

export function makeJob<C extends RunConfig>(
  config: C,
  datasetPath: string,
  more: JobParts = {},
): TrainerJob & { grant: { config: C } } {
  return {
    datasetPath,
    teacherPaths: [],
    initialisationPath: null,
    labelSets: [],
    resumeDir: null,
    threads: 1,
    ...more,
    grant: {
      runId: runId(1),
      attempt: 1,
      label: 'test',
      config,
      teachers: [],
      initialisation: null,
      resume: null,
      ...(more.grant as { config?: C }),
    },
  };
}

/** Makes the attempt's folder with its work order. */
export function makeAttempt(dir: string, job: TrainerJob): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, ATTEMPT_FILES.job), JSON.stringify(job));
}

export interface TrainerEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export class TestTrainer {
  readonly dir: string;
  readonly #child: ChildProcess;
  readonly ended: Promise<TrainerEnd>;

  constructor(program: string, dir: string) {
    this.dir = dir;
    this.#child = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    this.#child.stderr!.on('data', (chunk) => {
      stderr += chunk;
    });
    this.ended = once(this.#child, 'close').then(([exitCode, signal]) => ({ exitCode, signal, stderr }));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the records fulfil the condition; throws when the process ends before that. */
  async until(condition: (records: AttemptRecord[]) => boolean): Promise<void> {
    while (!condition(recordsOf(this.dir))) {
      if (this.#child.exitCode !== null) throw new Error(`The trainer ended early: ${(await this.ended).stderr}`);
      await sleep(5);
    }
  }
}

export const recordsOf = (dir: string): AttemptRecord[] => readRecords(join(dir, ATTEMPT_FILES.records), 0).records;
export const metricsOf = (dir: string): MetricsRecord[] => recordsOf(dir).filter((r) => r.kind === 'metrics');
export const checkpointsOf = (dir: string): CheckpointRecord[] => recordsOf(dir).filter((r) => r.kind === 'checkpoint');
export const logOf = (dir: string): string[] => recordsOf(dir).flatMap((r) => (r.kind === 'log' ? [r.line] : []));
export const checkpointPath = (dir: string, { checkpointId }: CheckpointRecord, file = ''): string =>
  join(dir, ATTEMPT_FILES.checkpoints, checkpointId, file);

/** What the next attempt is given to go on with, after attempts in these folders, oldest first. */
export function resumeAfter(dirs: readonly string[]): JobParts {
  const saved = dirs.flatMap((dir) => checkpointsOf(dir).map((checkpoint) => ({ dir, checkpoint })));
  const last = saved.at(-1)!;
  const best = saved.findLast(({ checkpoint }) => checkpoint.isBest);
  const file = best?.checkpoint.files.find(({ name }) => name === CHECKPOINT_FILES.model);
  const { stepsCompleted, files } = last.checkpoint;
  const isOther = best !== undefined && file !== undefined && best !== last;
  return {
    resumeDir: checkpointPath(last.dir, last.checkpoint),
    ...(isOther && { bestPath: checkpointPath(best.dir, best.checkpoint, CHECKPOINT_FILES.model) }),
    grant: {
      attempt: dirs.length + 1,
      resume: { stepsCompleted, files },
      ...(isOther && { best: { checkpointId: best.checkpoint.checkpointId, file } }),
    },
  };
}
