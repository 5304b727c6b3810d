/** The trainer process: `node dist/trainer.js <attempt folder>`. It is controlled by signals and speaks through files (job.ts). */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import { z } from 'zod';
import { ATTEMPT_FILES, type TrainerExitNote, TrainerJob } from './job.ts';
import { RecordWriter } from './record-writer.ts';
import { runAttempt } from './run-attempt.ts';
import { describeFailure, isUnexpected } from './run-failure.ts';

const USAGE_EXIT = 2;

function readJob(attemptDir: string): TrainerJob {
  const path = join(attemptDir, ATTEMPT_FILES.job);
  const parsed = TrainerJob.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} is not a work order that this trainer understands: ${z.prettifyError(parsed.error)}`);
}

/** Leaves the failure where the agent looks for it, and in the log. What cannot be written (disk full) goes to stderr. */
function reportFailure(attemptDir: string, records: RecordWriter | null, error: unknown): void {
  const failure = describeFailure(error);
  if (isUnexpected(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  const steps = [
    () => records?.log('error', failure.message),
    () => writeWhole(join(attemptDir, ATTEMPT_FILES.failure), failure),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (second) {
      process.stderr.write(`${failure.message}\n${(second as Error).message}\n`);
    }
  }
}

/** Tells the exit code to an agent that did not start this process. Without it (disk full) the agent has to guess. */
function noteExit(attemptDir: string, exitCode: number): void {
  const note: TrainerExitNote = { exitCode };
  try {
    writeWhole(join(attemptDir, ATTEMPT_FILES.exit), note);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
  }
}

/** The whole file or none of it. */
function writeWhole(path: string, value: unknown): void {
  try {
    writeFileSync(`${path}.tmp`, JSON.stringify(value));
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    rmSync(`${path}.tmp`, { force: true });
    throw error;
  }
}

async function main(): Promise<number> {
  const attemptDir = process.argv[2];
  if (attemptDir === undefined) {
    process.stderr.write('Usage: node dist/trainer.js <attempt folder>\n');
    return USAGE_EXIT;
  }
  const exitCode = await work(attemptDir);
  noteExit(attemptDir, exitCode);
  return exitCode;
}

async function work(attemptDir: string): Promise<number> {
  let stopRequested = false;
  // The first signal asks for a stop at the next step boundary; more of them change nothing.
  process.on('SIGTERM', () => {
    stopRequested = true;
  });
  let records: RecordWriter | null = null;
  try {
    records = RecordWriter.open(join(attemptDir, ATTEMPT_FILES.records));
    const outcome = await runAttempt({
      attemptDir,
      job: readJob(attemptDir),
      records,
      imageWorkerUrl: new URL('./image-worker.js', import.meta.url),
      shouldStop: () => stopRequested,
    });
    return TRAINER_EXIT[outcome];
  } catch (error) {
    reportFailure(attemptDir, records, error);
    return TRAINER_EXIT.failed;
  } finally {
    records?.close();
  }
}

process.exitCode = await main();
