/** The trainer process: `node dist/trainer.js <attempt folder>`. It is controlled by signals and speaks through files (job.ts). */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import { z } from 'zod';
import { ATTEMPT_FILES, TrainerJob } from './job.ts';
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
  const path = join(attemptDir, ATTEMPT_FILES.failure);
  const steps = [
    () => records?.log('error', failure.message),
    () => {
      writeFileSync(`${path}.tmp`, JSON.stringify(failure));
      renameSync(`${path}.tmp`, path);
    },
  ];
  for (const step of steps) {
    try {
      step();
    } catch (second) {
      process.stderr.write(`${failure.message}\n${(second as Error).message}\n`);
      rmSync(`${path}.tmp`, { force: true });
    }
  }
}

async function main(): Promise<number> {
  const attemptDir = process.argv[2];
  if (attemptDir === undefined) {
    process.stderr.write('Usage: node dist/trainer.js <attempt folder>\n');
    return USAGE_EXIT;
  }
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
