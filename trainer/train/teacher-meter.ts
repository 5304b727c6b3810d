/** What of a step its teachers take, where steps ask them: looked at so seldom that the run is no slower for it. */
import type { StepInputs } from './step-runner.ts';

/** Steps of this process before the first look: the first makes the graph, the second still finds its memory. */
const STEPS_BEFORE = 2;
/** At most such a share of the time is spent on looking. */
const MAX_SHARE = 0.01;

export interface TeacherMeterOptions {
  /** Milliseconds of the teachers' part of the step that was run last, or null where steps ask none. */
  timeTeachers: (inputs: StepInputs) => number | null;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
}

export class TeacherMeter {
  readonly #options: TeacherMeterOptions;
  #asksTeachers = true;
  #steps = 0;
  /** By the clock. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #looks: { teacherMs: number; studentMs: number }[] = [];

  constructor(options: TeacherMeterOptions) {
    this.#options = options;
  }

  /**
   * To be called after a step that took `stepMs`, with its inputs.
   * @returns milliseconds that it took to look
   */
  look(inputs: StepInputs, stepMs: number): number {
    const { timeTeachers, now } = this.#options;
    const began = now();
    if (!this.#asksTeachers || this.#steps++ < STEPS_BEFORE || began < this.#dueAt) return 0;
    const teacherMs = timeTeachers(inputs);
    if (teacherMs === null) {
      this.#asksTeachers = false;
      return 0;
    }
    this.#looks.push({ teacherMs, studentMs: Math.max(0, stepMs - teacherMs) });
    const ended = now();
    this.#dueAt = ended + (ended - began) / MAX_SHARE;
    return ended - began;
  }

  /** Metrics of the steps looked at since the last call; none of them where there was no such step. */
  takeMetrics(): Record<string, number> {
    const looks = this.#looks;
    this.#looks = [];
    if (looks.length === 0) return {};
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
    return {
      'train/teacher_ms': mean(looks.map(({ teacherMs }) => teacherMs)),
      'train/student_ms': mean(looks.map(({ studentMs }) => studentMs)),
    };
  }
}
