/**
 * A trainer without training: `node fake-trainer.mjs <attempt folder>`. It writes real records through the real writer and
 * does what the grant's label says (FakeScript as JSON), or, for a real hub's grants, the variable FAKE_SCRIPT.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeId } from '@mealtable/protocol/ids';
import { CHECKPOINT_FILES, TRAINER_EXIT } from '@mealtable/protocol/records';
import { ATTEMPT_FILES, TrainerJob } from '../../../trainer/train/job.ts';
import { type RecordBody, RecordWriter } from '../../../trainer/train/record-writer.ts';
import type { FakeScript } from './fake-script.ts';

const dir = process.argv[2]!;
const job = TrainerJob.parse(JSON.parse(readFileSync(join(dir, ATTEMPT_FILES.job), 'utf8')));
const script = JSON.parse(process.env.FAKE_SCRIPT ?? job.grant.label) as FakeScript;
const stepsBefore = job.grant.resume?.stepsCompleted ?? 0;
const records = RecordWriter.open(join(dir, ATTEMPT_FILES.records));
let stopRequested = false;
process.on('SIGTERM', () => {
  stopRequested = !script.ignoresTerm;
});

function writeCheckpoint(step: number): void {
  const checkpointId = makeId('checkpoint', Date.now(), crypto.getRandomValues(new Uint8Array(12)));
  const folder = join(dir, ATTEMPT_FILES.checkpoints, checkpointId);
  mkdirSync(`${folder}.tmp`, { recursive: true });
  const files = Object.values(CHECKPOINT_FILES).map((name) => {
    const bytes = Buffer.from(`${job.grant.runId} ${job.grant.attempt} ${name} at step ${step} `.repeat(200));
    writeFileSync(join(`${folder}.tmp`, name), bytes);
    return { name, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
  });
  renameSync(`${folder}.tmp`, folder);
  records.write({
    kind: 'checkpoint',
    checkpointId,
    stepsCompleted: step,
    epoch: step,
    top1: step / 10,
    isBest: true,
    files,
  });
}

function end(exitCode: number): never {
  records.close();
  writeFileSync(join(dir, ATTEMPT_FILES.exit), JSON.stringify({ exitCode }));
  process.exit(exitCode);
}

process.stdout.write(`threads ${process.env.MEALTABLE_THREADS} token ${process.env.MEALTABLE_TOKEN ?? 'none'}\n`);
process.stderr.write('printed to stderr\n');
if (script.startsDaemon) {
  const program = `const note = (term) => { const fs = require('fs'); fs.writeFileSync('daemon.tmp', JSON.stringify({ pid: process.pid, term })); fs.renameSync('daemon.tmp', 'daemon.json'); };
    process.on('SIGTERM', () => note(true)); note(false); setInterval(() => {}, 1000);`;
  spawn(process.execPath, ['-e', program, dir], { cwd: dir, detached: true, stdio: 'ignore' }).unref();
  while (!existsSync(join(dir, 'daemon.json'))) await sleep(5);
}
if (script.startsSilent) await sleep(60_000);
records.write({
  kind: 'started',
  stepsCompleted: stepsBefore,
  stepsPerEpoch: 10,
  totalSteps: script.steps,
  backend: 'fake',
  device: process.env.CUDA_VISIBLE_DEVICES ?? 'cpu',
  parameterCount: 1,
});
if (script.readsInputs) {
  const paths = [...job.teacherPaths.map((t) => t.path), ...(job.initialisationPath ? [job.initialisationPath] : [])];
  const resumed = job.resumeDir ? job.grant.resume!.files.map((f) => join(job.resumeDir!, f.name)) : [];
  for (const path of [...paths, ...resumed]) records.log('info', `read ${readFileSync(path, 'utf8')}`);
}
for (let step = stepsBefore + 1; step <= script.steps; step++) {
  if (stopRequested) {
    if (!existsSync(join(dir, ATTEMPT_FILES.cancel))) writeCheckpoint(step);
    end(TRAINER_EXIT.interrupted);
  }
  records.write({
    kind: 'metrics',
    step,
    epoch: step / 10,
    values: { 'train/loss': 1 / step, 'train/odd': Number.NaN },
  });
  if (script.checkpointEvery && step % script.checkpointEvery === 0) writeCheckpoint(step);
  if (script.badRecordAt === step) records.write({ kind: 'log', level: 'info', line: 'REFUSE ME' });
  if (script.unreadableAt === step) records.write({ kind: 'party' } as unknown as RecordBody);
  for (const { stream, base64, times = 1 } of (script.prints ?? []).filter((print) => print.step === step))
    for (let i = 0; i < times; i++) process[stream].write(Buffer.from(base64, 'base64'));
  if (script.everyMs) await sleep(script.everyMs);
  // A trainer in its training loop gives signals their turn too.
  else if (step % 50 === 0) await sleep(0);
  while (script.holdAt === step && !existsSync(join(dir, 'go')) && !stopRequested) await sleep(5);
}
switch (script.end) {
  case 'succeed':
    end(TRAINER_EXIT.succeeded);
    break;
  case 'fail': {
    const failure = { failureCode: 'diverged', message: 'The loss became NaN at step 3.' };
    writeFileSync(join(dir, ATTEMPT_FILES.failure), JSON.stringify(failure));
    end(TRAINER_EXIT.failed);
    break;
  }
  case 'exit-7':
    process.exit(7);
    break;
  case 'crash':
    throw new Error('a bug in the trainer');
  case 'hang':
    for (;;) await sleep(60_000);
}
