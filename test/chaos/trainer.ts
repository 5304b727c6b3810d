/**
 * A trainer that computes nothing: `node trainer.js <attempt folder>`. It reads the real work order and writes real records
 * through the real writer; saves checkpoints, goes on from them, and obeys SIGTERM as the product's trainer does.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeId } from '@mealtable/protocol/ids';
import { CHECKPOINT_FILES, TRAINER_EXIT } from '@mealtable/protocol/records';
import { ATTEMPT_FILES, TrainerJob } from '../../trainer/train/job.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { ChaosPlan, contentOf, lineOf, lossOf, sha256Of, top1Of } from './script.ts';

const LOG_EVERY = 3;
const STEPS_PER_EPOCH = 10;

const dir = process.argv[2]!;
const plan = ChaosPlan.parse(JSON.parse(readFileSync(process.env.CHAOS_PLAN!, 'utf8')));
const job = TrainerJob.parse(JSON.parse(readFileSync(join(dir, ATTEMPT_FILES.job), 'utf8')));
const { runId, attempt, config, resume } = job.grant;
const startStep = resume?.stepsCompleted ?? 0;
const seed = 'seed' in config ? config.seed : 0;
let stopRequested = false;
process.on('SIGTERM', () => {
  stopRequested = true;
});

const recordsPath = join(dir, ATTEMPT_FILES.records);
const records = RecordWriter.open(recordsPath);
linkSync(recordsPath, join(plan.keptDir, `${runId}.${attempt}`));

function end(exitCode: number): never {
  records.close();
  writeFileSync(join(dir, ATTEMPT_FILES.exit), JSON.stringify({ exitCode }));
  process.exit(exitCode);
}

function fail(failureCode: 'trainer_error' | 'diverged', message: string): never {
  writeFileSync(join(dir, ATTEMPT_FILES.failure), JSON.stringify({ failureCode, message }));
  end(TRAINER_EXIT.failed);
}

/** Inputs that are not what their run must have saved at that step are another run's, or damaged. */
function checkInputs(): void {
  for (const teacher of job.teacherPaths) {
    const expected = contentOf(teacher.runId, plan.steps, CHECKPOINT_FILES.model);
    if (!readFileSync(teacher.path).equals(expected))
      fail('trainer_error', `The teacher ${teacher.runId} is not itself.`);
  }
  for (const { name } of resume?.files ?? []) {
    const given = readFileSync(join(job.resumeDir!, name));
    if (!given.equals(contentOf(runId, startStep, name))) fail('trainer_error', `${name} is not of step ${startStep}.`);
  }
}

function writeCheckpoint(step: number): void {
  const checkpointId = makeId('checkpoint', Date.now(), crypto.getRandomValues(new Uint8Array(12)));
  const folder = join(dir, ATTEMPT_FILES.checkpoints, checkpointId);
  mkdirSync(`${folder}.tmp`, { recursive: true });
  const files = Object.values(CHECKPOINT_FILES).map((name) => {
    const bytes = contentOf(runId, step, name);
    writeFileSync(join(`${folder}.tmp`, name), bytes);
    return { name, sha256: sha256Of(bytes), sizeBytes: bytes.length };
  });
  renameSync(`${folder}.tmp`, folder);
  const manifest = { checkpointId, stepsCompleted: step, epoch: step / STEPS_PER_EPOCH, top1: top1Of(step) };
  records.write({ kind: 'checkpoint', ...manifest, isBest: true, files });
}

/** The step that the faults so far allow. */
function allowedStep(): number {
  const faults = Number(readFileSync(plan.paceFile, 'utf8'));
  const [from, to] = plan.windows[seed] ?? [0, 0];
  return faults >= to ? plan.steps : (plan.steps * (faults - from)) / (to - from);
}

checkInputs();
records.write({
  kind: 'started',
  stepsCompleted: startStep,
  stepsPerEpoch: STEPS_PER_EPOCH,
  totalSteps: plan.steps,
  backend: 'chaos',
  device: 'cpu',
  parameterCount: 1,
});
for (let step = startStep + 1; step <= plan.steps; step++) {
  do {
    await sleep(5);
    if (!stopRequested) continue;
    if (!existsSync(join(dir, ATTEMPT_FILES.cancel)) && step - 1 > startStep) writeCheckpoint(step - 1);
    end(TRAINER_EXIT.interrupted);
  } while (step > allowedStep());
  const saves = step % plan.checkpointEvery === 0 || step === plan.steps;
  const values = { 'train/loss': lossOf(runId, attempt, step), ...(saves && { 'val/top1': top1Of(step) }) };
  records.write({ kind: 'metrics', step, epoch: step / STEPS_PER_EPOCH, values });
  if (step % LOG_EVERY === 0) records.log('info', lineOf(runId, attempt, step));
  if (step === plan.steps && seed === plan.divergingSeed) fail('diverged', 'The loss became NaN.');
  if (saves) writeCheckpoint(step);
}
end(TRAINER_EXIT.succeeded);
