/**
 * The folder of one attempt, `<state folder>/attempts/<runId>.<attempt>/`. All that an agent must know to take over from
 * one that was killed lies here.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type AttemptRef, Grant } from '@mealtable/protocol/agent-messages';
import { RunId } from '@mealtable/protocol/ids';
import type { OutputStream } from '@mealtable/protocol/output';
import { AttemptOutcome, FailureCode } from '@mealtable/protocol/statuses';
import { z } from 'zod';
import { ATTEMPT_FILES, TrainerExitNote, TrainerFailure, type TrainerJob } from '../train/job.ts';
import { readJson, writeFileAtomic } from './atomic-file.ts';
import { ProcessIdentity } from './process-identity.ts';

/** Why the agent stops a trainer. `fenced` is not among them: a fenced attempt has nothing left to report. */
export const StopCause = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cancelled') }),
  z.object({ kind: z.literal('paused') }),
  z.object({ kind: z.literal('shutdown') }),
  z.object({ kind: z.literal('stalled'), afterMs: z.number() }),
  /** The work order is not for this version of the trainer. */
  z.object({ kind: z.literal('refused'), message: z.string() }),
  z.object({ kind: z.literal('failed'), failureCode: FailureCode, message: z.string() }),
]);
export type StopCause = z.infer<typeof StopCause>;

/** How the attempt ended, as its last record will say. */
export const Verdict = z.object({
  outcome: AttemptOutcome,
  failureCode: FailureCode.nullable(),
  message: z.string().nullable(),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
});
export type Verdict = z.infer<typeof Verdict>;

/** The running trainer, what owns it, and its slot. */
const TrainerFile = z.object({
  process: ProcessIdentity,
  /** Null for a trainer that the agent started itself. */
  shim: ProcessIdentity.nullable().default(null),
  slot: z.int(),
});
export type TrainerFile = z.infer<typeof TrainerFile>;

/**
 * What the kernel says about memory at a SIGKILL that nobody here sent: it ended a process of the trainer's control group
 * (`group`), or one of this machine (`host`), or none.
 */
export const MemoryKill = z.enum(['group', 'host', 'none']);
export type MemoryKill = z.infer<typeof MemoryKill>;

/** The shim's last word, by numbers as the system gives them. */
const TrainerExitFile = z.object({
  exitCode: z.int().nullable(),
  signal: z.int().nullable(),
  memory: MemoryKill.nullable(),
});
export type TrainerExitFile = z.infer<typeof TrainerExitFile>;

const FILES = {
  trainer: 'trainer.json',
  trainerExit: 'trainer-exit.json',
  stop: 'stop.json',
  verdict: 'verdict.json',
  /** An agent that was updated finds trainers that print both streams here. */
  stdout: 'output.log',
  stderr: 'stderr.log',
};
const FolderName = /^(?<runId>run_[0-9a-z]+)\.(?<attempt>[1-9]\d*)$/;

export class AttemptDir {
  readonly path: string;
  readonly ref: AttemptRef;

  constructor(attemptsDir: string, ref: AttemptRef) {
    this.ref = { runId: ref.runId, attempt: ref.attempt };
    this.path = join(attemptsDir, nameOf(ref));
  }

  get name(): string {
    return basename(this.path);
  }
  get records(): string {
    return join(this.path, ATTEMPT_FILES.records);
  }
  /** What the trainer's process wrote to one of its streams. */
  output(stream: OutputStream): string {
    return join(this.path, FILES[stream]);
  }
  /** Made before SIGTERM when no checkpoint is wanted. */
  get cancelMark(): string {
    return join(this.path, ATTEMPT_FILES.cancel);
  }
  checkpoint(checkpointId: string): string {
    return join(this.path, ATTEMPT_FILES.checkpoints, checkpointId);
  }
  /** Where a file that the grant names is put for the trainer. */
  input(sha256: string): string {
    return join(this.path, 'inputs', `${sha256}.safetensors`);
  }
  /** What describes a set of labels that the grant names. */
  labelSet(sha256: string): string {
    return join(this.path, 'inputs', `${sha256}.json`);
  }
  /** A file of labels until it has its place in this host's cache. */
  labelPart(sha256: string): string {
    return join(this.path, 'inputs', `${sha256}.labels`);
  }
  get resume(): string {
    return join(this.path, 'resume');
  }

  create(grant: Grant): void {
    for (const folder of [this.path, join(this.path, 'inputs'), this.resume]) mkdirSync(folder, { recursive: true });
    writeFileAtomic(join(this.path, ATTEMPT_FILES.job), JSON.stringify({ grant }));
  }
  /** Replaces the bare grant by the trainer's whole work order. */
  writeJob(job: TrainerJob): void {
    writeFileAtomic(join(this.path, ATTEMPT_FILES.job), JSON.stringify(job));
  }
  get hasJob(): boolean {
    return existsSync(join(this.path, ATTEMPT_FILES.job));
  }
  /** Null when another version's agent wrote it in another shape. */
  readGrant(): Grant | null {
    return readJson(join(this.path, ATTEMPT_FILES.job), z.object({ grant: Grant }))?.grant ?? null;
  }

  writeTrainer(trainer: TrainerFile): void {
    writeFileAtomic(join(this.path, FILES.trainer), JSON.stringify(trainer));
  }
  readTrainer(): TrainerFile | null {
    return readJson(join(this.path, FILES.trainer), TrainerFile);
  }
  /** How the shim saw the trainer end; null while it runs, and when nothing has owned it. */
  readTrainerExit(): TrainerExitFile | null {
    return readJson(join(this.path, FILES.trainerExit), TrainerExitFile);
  }
  /** True once a trainer may have been started: its output files are made first. */
  get mayHaveTrainer(): boolean {
    return existsSync(this.output('stdout'));
  }

  writeStop(cause: StopCause): void {
    writeFileAtomic(join(this.path, FILES.stop), JSON.stringify(cause));
  }
  readStop(): StopCause | null {
    return readJson(join(this.path, FILES.stop), StopCause);
  }

  writeVerdict(verdict: Verdict): void {
    writeFileAtomic(join(this.path, FILES.verdict), JSON.stringify(verdict));
  }
  readVerdict(): Verdict | null {
    return readJson(join(this.path, FILES.verdict), Verdict);
  }

  /** What the trainer wrote about its orderly end; null when it did not get there. */
  readExitCode(): number | null {
    return readJson(join(this.path, ATTEMPT_FILES.exit), TrainerExitNote)?.exitCode ?? null;
  }
  readFailure(): TrainerFailure | null {
    return readJson(join(this.path, ATTEMPT_FILES.failure), TrainerFailure);
  }

  remove(): void {
    // Renamed first: a folder that is half deleted must not look like an attempt.
    rmSync(this.#moveTo('.deleted'), { recursive: true, force: true });
  }

  /** Keeps the files for whoever looks into a bug, and never takes them for an attempt again. */
  setAside(): string {
    return this.#moveTo('.broken');
  }

  #moveTo(prefix: string): string {
    const target = join(this.path, '..', `${prefix}-${this.name}`);
    rmSync(target, { recursive: true, force: true });
    if (existsSync(this.path)) renameSync(this.path, target);
    return target;
  }
}

const nameOf = (ref: AttemptRef) => `${ref.runId}.${ref.attempt}`;

/** The attempts left by an earlier agent. A folder without a job is from a grant that was cut short, and is deleted. */
export function listAttemptDirs(attemptsDir: string): AttemptDir[] {
  mkdirSync(attemptsDir, { recursive: true });
  return readdirSync(attemptsDir).flatMap((name) => {
    const match = FolderName.exec(name)?.groups;
    const runId = RunId.safeParse(match?.runId);
    const dir = runId.success
      ? new AttemptDir(attemptsDir, { runId: runId.data, attempt: Number(match?.attempt) })
      : null;
    if (dir?.hasJob) return [dir];
    if (dir || name.startsWith('.deleted')) rmSync(join(attemptsDir, name), { recursive: true, force: true });
    return [];
  });
}
