/**
 * A training loop with nothing but its time: `node trainer.js <attempt folder>`. Each step computes, always the same, and reports;
 * what each took is written down at the end, for who compares the steps.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import { ATTEMPT_FILES } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { STEP_COLUMNS, SteppingPlan } from './steps.ts';

const dir = process.argv[2]!;
const plan = SteppingPlan.parse(JSON.parse(readFileSync(process.env.STEPPING_PLAN!, 'utf8')));
const records = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
const names = Array.from({ length: plan.metrics }, (_, i) => `train/metric_${i}`);
let stopRequested = false;
process.on('SIGTERM', () => {
  stopRequested = true;
});

/** Sums that the compiler cannot leave out. */
let sum = 0;
function compute(rounds: number): void {
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(i + (sum % 7));
}

/** Rounds that take as long as a step, by the quickest of several tries: the machine may be busy. */
function calibrate(): number {
  const rounds = 500_000;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 30; i++) {
    const begun = performance.now();
    compute(rounds);
    best = Math.min(best, performance.now() - begun);
  }
  return Math.round((rounds * plan.stepMs) / best);
}

function report(step: number): void {
  const values = Object.fromEntries(names.map((name, i) => [name, Math.sin(step * (i + 1))]));
  records.write({ kind: 'metrics', step, epoch: step / 100, values });
}

const rounds = calibrate();
const started = { stepsCompleted: 0, stepsPerEpoch: 100, totalSteps: 1_000_000, parameterCount: 1 };
records.write({ kind: 'started', ...started, backend: 'steps', device: 'cpu' });
const rows: number[] = [];
for (let step = 1; !stopRequested; step++) {
  const reports = !plan.everyOther || step % 2 === 1;
  const at = Date.now();
  const begun = performance.now();
  compute(rounds);
  const before = process.resourceUsage();
  const computed = performance.now();
  if (reports) report(step);
  const done = performance.now();
  const after = process.resourceUsage();
  const cpuMs = (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1000;
  const preempted = after.involuntaryContextSwitches - before.involuntaryContextSwitches;
  const row = { at, stepMs: done - begun, reportMs: done - computed, cpuMs, preempted, reports: Number(reports) };
  rows.push(...STEP_COLUMNS.map((column) => row[column]));
  await yieldToSignals();
}
writeFileSync(plan.timesFile, Buffer.from(Float64Array.from(rows).buffer));
records.close();
writeFileSync(join(dir, ATTEMPT_FILES.exit), JSON.stringify({ exitCode: TRAINER_EXIT.interrupted }));
process.exit(sum > 0 ? TRAINER_EXIT.interrupted : TRAINER_EXIT.failed);
