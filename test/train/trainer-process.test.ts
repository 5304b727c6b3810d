import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import type { RunConfig } from '@mealtable/protocol/run-config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ATTEMPT_FILES, TrainerExitNote, TrainerFailure } from '../../trainer/train/job.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import {
  CLASSIFICATION,
  checkpointPath,
  checkpointsOf,
  logOf,
  makeAttempt,
  makeJob,
  metricsOf,
  recordsOf,
  TestTrainer,
} from '../support/trainer-process.ts';

const STEPS_PER_EPOCH = 9;
/** Long enough not to end by itself, short enough that every step is recorded. */
const LONG: RunConfig = { ...CLASSIFICATION, epochs: 100 };
let programs: BundledPrograms;
let root: string;
let dataset: string;
let attempts = 0;

function start(config: RunConfig, folder = dataset): TestTrainer {
  const dir = join(root, `attempt-${++attempts}`);
  makeAttempt(dir, makeJob(config, folder));
  return new TestTrainer(programs.trainer, dir);
}
const read = (dir: string, name: string): unknown => JSON.parse(readFileSync(join(dir, name), 'utf8'));
const exitNote = (dir: string) => TrainerExitNote.parse(read(dir, ATTEMPT_FILES.exit)).exitCode;

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'trainer-'));
  dataset = join(root, 'dataset');
  await makeImageFolder(dataset, { classes: ['a', 'b', 'c'], train: 12, val: 3, size: 12 });
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await programs.remove();
});

test('SIGTERM: a checkpoint at the step reached, and the exit code of an interruption', async () => {
  const trainer = start(LONG);
  await trainer.until((records) => records.some((r) => r.kind === 'metrics' && r.step >= STEPS_PER_EPOCH + 2));
  trainer.kill('SIGTERM');
  const { exitCode, stderr } = await trainer.ended;
  expect(exitCode, stderr).toBe(TRAINER_EXIT.interrupted);
  expect(exitNote(trainer.dir)).toBe(TRAINER_EXIT.interrupted);
  const last = checkpointsOf(trainer.dir).at(-1)!;
  expect(last.stepsCompleted).toBe(metricsOf(trainer.dir).at(-1)!.step);
  for (const { name, sizeBytes } of last.files)
    expect(readFileSync(checkpointPath(trainer.dir, last, name)).length).toBe(sizeBytes);
});

test('SIGTERM of a run that is not wanted any more: no checkpoint', async () => {
  const trainer = start(LONG);
  await trainer.until((records) => records.some((r) => r.kind === 'metrics'));
  writeFileSync(join(trainer.dir, ATTEMPT_FILES.cancel), '');
  trainer.kill('SIGTERM');
  expect((await trainer.ended).exitCode).toBe(TRAINER_EXIT.interrupted);
  for (const { top1 } of checkpointsOf(trainer.dir)) expect(top1).not.toBeNull();
  expect(existsSync(join(trainer.dir, ATTEMPT_FILES.failure))).toBe(false);
});

test('SIGKILL: the records read to their end, and the checkpoints named there are whole', async () => {
  const trainer = start(LONG);
  await trainer.until((records) => records.some((r) => r.kind === 'checkpoint'));
  trainer.kill('SIGKILL');
  expect((await trainer.ended).signal).toBe('SIGKILL');
  expect(recordsOf(trainer.dir).length).toBeGreaterThan(STEPS_PER_EPOCH);
  const last = checkpointsOf(trainer.dir).at(-1)!;
  for (const { name, sizeBytes } of last.files)
    expect(readFileSync(checkpointPath(trainer.dir, last, name)).length).toBe(sizeBytes);
  expect(existsSync(join(trainer.dir, ATTEMPT_FILES.exit))).toBe(false);
});

test('a finished run ends by itself with 0', async () => {
  const trainer = start({ ...CLASSIFICATION, epochs: 1 });
  const { exitCode, stderr } = await trainer.ended;
  expect(exitCode, stderr).toBe(TRAINER_EXIT.succeeded);
  expect(exitNote(trainer.dir)).toBe(TRAINER_EXIT.succeeded);
});

test('a failure is told in failure.json, in the log and by the exit code', async () => {
  const trainer = start(CLASSIFICATION, join(root, 'nowhere'));
  const { exitCode, stderr } = await trainer.ended;
  expect(exitCode).toBe(TRAINER_EXIT.failed);
  expect(stderr).toBe('');
  const failure = TrainerFailure.parse(read(trainer.dir, ATTEMPT_FILES.failure));
  expect(failure).toMatchObject({ failureCode: 'dataset_invalid', message: expect.stringMatching(/nowhere/) });
  expect(logOf(trainer.dir)).toContain(failure.message);
});

test('a work order that is none is a failure that names the field', async () => {
  const trainer = start({ ...CLASSIFICATION, epochs: 0 });
  expect((await trainer.ended).exitCode).toBe(TRAINER_EXIT.failed);
  const { message } = TrainerFailure.parse(read(trainer.dir, ATTEMPT_FILES.failure));
  expect(message).toMatch(/grant\.json is not a work order[\s\S]*grant\.config\.epochs/);
});
