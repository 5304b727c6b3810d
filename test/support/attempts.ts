/** Attempts on a dataset in this process, from the work order to the last metric, for tests and benchmarks of whole runs. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import type { TeacherFile } from '../../trainer/train/job.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { type BundledPrograms, bundleTrainer } from './bundle.ts';
import { makeJob } from './trainer-process.ts';

export interface Played {
  /** The attempt's folder. */
  dir: string;
  points: { step: number; values: Record<string, number> }[];
  warnings: string[];
}

export interface PlayOptions {
  teacherPaths?: TeacherFile[];
  /** Asked to stop when so many steps are recorded. */
  stopAfter?: number;
  /** Where soft labels are kept, below the root. */
  labels?: string;
}

export class Attempts {
  readonly root: string;
  readonly #programs: BundledPrograms;
  readonly #threads: number;
  #count = 0;

  private constructor(programs: BundledPrograms, threads: number) {
    this.root = mkdtempSync(join(tmpdir(), 'attempts-'));
    this.#programs = programs;
    this.#threads = threads;
  }

  /** @param threads TensorFlow's, fixed for this process by its first attempt */
  static async open(threads: number): Promise<Attempts> {
    return new Attempts(await bundleTrainer(), threads);
  }

  async play(dataset: string, config: TrainingConfig, options: PlayOptions = {}): Promise<Played> {
    const { teacherPaths = [], stopAfter = Number.POSITIVE_INFINITY, labels = 'labels' } = options;
    const played: Played = { dir: join(this.root, `attempt-${++this.#count}`), points: [], warnings: [] };
    mkdirSync(played.dir);
    let step = 0;
    await runAttempt({
      attemptDir: played.dir,
      job: makeJob(config, dataset, { teacherPaths, threads: this.#threads }),
      records: {
        write: (body) => {
          if (body.kind !== 'metrics') return 0;
          step = body.step;
          return played.points.push({ step, values: body.values as Record<string, number> });
        },
        log: (level, line) => (level === 'warning' ? played.warnings.push(line) : 0),
      },
      imageWorkerUrl: this.#programs.imageWorkerUrl,
      shouldStop: () => step >= stopAfter,
      labelsFolder: join(this.root, labels),
    });
    return played;
  }

  /** Its last weights, as a teacher's of other runs. */
  async teach(dataset: string, config: TrainingConfig, runId: string, classCount: number): Promise<TeacherFile> {
    const { dir } = await this.play(dataset, config);
    const checkpoints = join(dir, 'checkpoints');
    const newest = readdirSync(checkpoints).sort().at(-1)!;
    return { runId, network: config.network, classCount, path: join(checkpoints, newest, CHECKPOINT_FILES.model) };
  }

  async close(): Promise<void> {
    rmSync(this.root, { recursive: true });
    await this.#programs.remove();
  }
}
