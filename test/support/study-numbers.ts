/** All that a study has measured, as the hub stores it, in a form in which two studies can be compared byte by byte. */
import type { Api } from './hub-process.ts';

export interface Point {
  attempt: number;
  seq: number;
  step: number;
  epoch: number;
  values: Record<string, number>;
}

/** What is measured of the machine rather than of the training. */
const OF_THE_MACHINE = /_ms$|^train\/images_per_s$|^memory\//;

/** Every point of a run, page by page. */
export async function storedPoints(api: Api, runId: string): Promise<Point[]> {
  const points: Point[] = [];
  for (let after: { attempt: number; seq: number } | null = null, done = false; !done; ) {
    const page: Awaited<ReturnType<Api['runs']['metrics']['query']>> = await api.runs.metrics.query({
      id: runId,
      after,
      limit: 200,
    });
    for (const { attempt, seq, step, epoch, values } of page.points)
      points.push({
        attempt,
        seq,
        step,
        epoch,
        values: Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Number(v)])),
      });
    after = page.next;
    done = page.next === null;
  }
  return points;
}

export interface StudyNumbers {
  /** The top-1 table, without the ids of its rows and runs. */
  table: string;
  /** By row, seed and metric: every step with its value. */
  curves: Record<string, string>;
}

export async function studyNumbers(api: Api, studyId: string): Promise<StudyNumbers> {
  const { rows, runs } = await api.studies.get.query({ id: studyId });
  const table = JSON.stringify(rows, (key, value) => (key.endsWith('Id') ? undefined : value), 1);
  const curves: Record<string, [number, number][]> = {};
  for (const run of runs)
    for (const { step, values } of await storedPoints(api, run.id))
      for (const [metric, value] of Object.entries(values)) {
        if (OF_THE_MACHINE.test(metric)) continue;
        const curve = `${run.role} ${run.variantLabel}, seed ${run.seed}: ${metric}`;
        curves[curve] ??= [];
        curves[curve].push([step, value]);
      }
  return {
    table,
    curves: Object.fromEntries(Object.entries(curves).map(([name, points]) => [name, JSON.stringify(points)])),
  };
}
