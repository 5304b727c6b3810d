/** The files by which the agent and a trainer speak: everything lies in the attempt's folder. */
import { Grant } from '@mealtable/protocol/agent-messages';
import { RunId } from '@mealtable/protocol/ids';
import { NetworkName } from '@mealtable/protocol/networks';
import { startingRun, type TrainingConfig, teachersOf } from '@mealtable/protocol/run-config';
import { FailureCode } from '@mealtable/protocol/statuses';
import { z } from 'zod';

export const ATTEMPT_FILES = {
  /** A TrainerJob, written by the agent before it starts the trainer. */
  job: 'grant.json',
  /** The record stream. */
  records: 'records.jsonl',
  /** A TrainerFailure, written before the trainer exits with TRAINER_EXIT.failed. */
  failure: 'failure.json',
  /** A TrainerExitNote, written last at an orderly end: an agent that adopted the trainer cannot see its exit code. */
  exit: 'exit.json',
  /** Made by the agent before SIGTERM when no checkpoint is wanted. */
  cancel: 'cancel',
  /** One folder per checkpoint, named by its id. */
  checkpoints: 'checkpoints',
  /** Weights of the best and the latest checkpoint, for the final test. */
  kept: 'kept',
} as const;

/** Made by the agent in a checkpoint's folder when the hub has all of its files: the trainer may then delete an old one. */
export const UPLOADED_MARK = 'uploaded';

export const TeacherFile = z.strictObject({
  runId: RunId,
  network: NetworkName,
  classCount: z.int().min(1),
  /** A safetensors file with timm's keys. */
  path: z.string().min(1),
});
export type TeacherFile = z.infer<typeof TeacherFile>;

/** One attempt's work order, with the places where the agent has put the files that the grant names. */
export const TrainerJob = z
  .strictObject({
    grant: Grant,
    /** Folder with train/<class>/ and val/<class>/. */
    datasetPath: z.string().min(1),
    teacherPaths: z.array(TeacherFile),
    /** A safetensors file of the same network, when the config starts from another run or evaluates one. */
    initialisationPath: z.string().min(1).nullable(),
    /** What describes the labels that other runs computed for this one; they themselves are in this host's cache. */
    labelSets: z.array(z.strictObject({ runId: RunId, path: z.string().min(1) })).default([]),
    /** Folder of the checkpoint to go on from, its files named as in CHECKPOINT_FILES. */
    resumeDir: z.string().min(1).nullable(),
    /** The weights of `grant.best`, where that is given. */
    bestPath: z.string().min(1).nullish(),
    /** Cores that TensorFlow may use. */
    threads: z.int().min(1),
  })
  .superRefine((job, ctx) => {
    const { config } = job.grant;
    const given = new Set(job.teacherPaths.map((t) => t.runId));
    // Published weights are no part of the order: the trainer brings them itself.
    for (const teacher of teachersOf(config))
      if (teacher.kind === 'run' && !given.has(teacher.runId))
        ctx.addIssue({
          code: 'custom',
          path: ['teacherPaths'],
          message: `No file is given for the teacher ${teacher.runId}.`,
        });
    const start = startingRun(config);
    if (start !== null && job.initialisationPath === null)
      ctx.addIssue({
        code: 'custom',
        path: ['initialisationPath'],
        message: `No file is given for the start, ${start}.`,
      });
    if ((job.grant.resume === null) !== (job.resumeDir === null))
      ctx.addIssue({
        code: 'custom',
        path: ['resumeDir'],
        message: 'The grant and resumeDir differ about resuming: give both or neither.',
      });
  });
export type TrainerJob = z.infer<typeof TrainerJob>;

/** The work order of a run that trains. */
export type TrainingJob = Omit<TrainerJob, 'grant'> & {
  grant: Omit<TrainerJob['grant'], 'config'> & { config: TrainingConfig };
};
export const isTraining = (job: TrainerJob): job is TrainingJob =>
  job.grant.config.task === 'classification' || job.grant.config.task === 'distillation';

export const TrainerFailure = z.strictObject({ failureCode: FailureCode, message: z.string().min(1).max(2000) });
export type TrainerFailure = z.infer<typeof TrainerFailure>;

export const TrainerExitNote = z.strictObject({ exitCode: z.int() });
export type TrainerExitNote = z.infer<typeof TrainerExitNote>;
