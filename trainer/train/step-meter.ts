/** Runs a run's steps and records their numbers. */
import { STALL_AFTER_MS } from '@mealtable/protocol/tunables';
import type { Scalar } from '@tensorflow/tfjs';
import type { Batch } from '../data/loader.ts';
import { tf } from '../engine/tf.ts';
import { learningRateAt } from '../optim/schedule.ts';
import { diverged } from './divergence.ts';
import type { StepInputs } from './step-runner.ts';
import { MAX_BATCHES_AHEAD } from './stored-labels.ts';
import type { StepResult } from './task.ts';
import { TeacherMeter } from './teacher-meter.ts';
import type { LoopContext } from './training-loop.ts';

/** A record is written at least this often, steps permitting: the agent takes a longer silence for a stall. */
export const MAX_SILENCE_MS = STALL_AFTER_MS / 4;

/** What of the loop's surroundings steps need. */
export type StepContext = Pick<
  LoopContext,
  'config' | 'steps' | 'training' | 'softLabels' | 'timeTeachers' | 'records' | 'now'
>;

export class StepMeter {
  readonly #context: StepContext;
  readonly #every: number;
  readonly #totalSteps: number;
  readonly #teachers: TeacherMeter | null;
  /** Inputs of the next step, where those are made one step ahead. */
  #prepared: StepInputs | null = null;
  #images = 0;
  #steps = 0;
  #waitMs = 0;
  #stepMs = 0;
  #since: number;

  /** Metrics are recorded every `every` steps. */
  constructor(context: StepContext, every: number, totalSteps: number) {
    this.#context = context;
    this.#every = every;
    this.#totalSteps = totalSteps;
    const { timeTeachers = null, now } = context;
    this.#teachers = timeTeachers === null ? null : new TeacherMeter({ timeTeachers, now });
    this.#since = context.now();
  }

  /** Forgets the time since the last record, which was not spent on training. */
  restart(): void {
    this.#images = this.#steps = this.#waitMs = this.#stepMs = 0;
    this.#since = this.#context.now();
  }

  /** One step, 0-based. Rejects with RunFailure `diverged` when its loss is no number. */
  async runStep(step: number): Promise<void> {
    const { steps, now } = this.#context;
    const inputs = this.#prepared ?? (await this.#prepare(step));
    this.#prepared = null;
    let result: StepResult | null = null;
    try {
      const hasNext = step + 1 < this.#totalSteps;
      if (hasNext && steps.stagesInputs) this.#prepared = await this.#prepare(step + 1);
      const began = now();
      result = steps.run(inputs, this.#prepared);
      this.#images += inputs.labels.size;
      this.#steps++;
      const done = step + 1;
      // Looked at in every step, not only in recorded ones: a stop may ask for a checkpoint after any of them. On a CPU the
      // value is there already; on a GPU, the wait for it costs little beside a step, and the next batch loads meanwhile.
      const [loss] = await result.loss.data();
      const stepMs = now() - began;
      this.#stepMs += stepMs;
      this.#since += this.#teachers?.look(inputs, stepMs) ?? 0;
      const isRecorded = done % this.#every === 0 || now() - this.#since >= MAX_SILENCE_MS;
      if (isRecorded || !Number.isFinite(loss)) await this.#record(result, done, this.#learningRate(step));
      if (!Number.isFinite(loss)) throw diverged('training loss', loss!, done);
    } finally {
      tf.dispose([inputs, result] as never);
    }
  }

  /** Frees what was prepared for a step that does not come. */
  dispose(): void {
    if (this.#prepared !== null) tf.dispose(this.#prepared);
    this.#prepared = null;
  }

  async #prepare(step: number): Promise<StepInputs> {
    const { training, steps, softLabels, now } = this.#context;
    const asked = now();
    const batch = await training.take(step);
    this.#waitMs += now() - asked;
    // A step holds this thread until it is done; the batch after this one is loaded meanwhile.
    if (step + 1 < this.#totalSteps) training.start(step + 1);
    const labels = await softLabels?.labelsOf(batch, () => this.#upcoming(step));
    return steps.prepare(batch, this.#learningRate(step), step, labels);
  }

  #upcoming(step: number): Promise<Batch[]> {
    const left = this.#totalSteps - 1 - step;
    const steps = Array.from({ length: Math.min(MAX_BATCHES_AHEAD, left) }, (_, i) => step + 1 + i);
    return Promise.all(steps.map((next) => this.#context.training.peek(next)));
  }

  #learningRate(step: number): number {
    const { config, training } = this.#context;
    return learningRateAt(config.optimizer, Math.floor(step / training.stepsPerEpoch), config.epochs);
  }

  async #record({ loss, parts }: StepResult, done: number, learningRate: number): Promise<void> {
    const { records, training, softLabels, now } = this.#context;
    const names = ['loss', ...Object.keys(parts)];
    const values = await readScalars([loss, ...Object.values(parts)]);
    records.write({
      kind: 'metrics',
      step: done,
      epoch: done / training.stepsPerEpoch,
      values: {
        ...Object.fromEntries(names.map((name, i) => [`train/${name}`, values[i]!])),
        'train/learning_rate': learningRate,
        'train/images_per_s': (this.#images / Math.max(now() - this.#since, 1e-3)) * 1000,
        'train/data_wait_ms': this.#waitMs / this.#steps,
        ...this.#teachers?.takeMetrics(),
        ...(softLabels && { ...softLabels.takeMetrics(), 'train/student_ms': this.#stepMs / this.#steps }),
      },
    });
    this.restart();
  }
}

/** Several scalars in one transfer from the device. */
async function readScalars(scalars: Scalar[]): Promise<number[]> {
  const stacked = tf.stack(scalars);
  const values = await stacked.data();
  stacked.dispose();
  return [...values];
}
