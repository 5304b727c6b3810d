/** Every status, role and failure code, once. The database enums are checked against these at compile time. */
import { z } from 'zod';

/** A paused or interrupted run is `queued` again and resumes from its latest checkpoint. */
export const RUN_STATUSES = ['queued', 'claimed', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export const RunStatus = z.enum(RUN_STATUSES);
export type RunStatus = z.infer<typeof RunStatus>;

export const ENDED_STATUSES = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly RunStatus[];
export const ACTIVE_STATUSES = ['claimed', 'running'] as const satisfies readonly RunStatus[];
export const isEnded = (status: RunStatus): boolean => (ENDED_STATUSES as readonly RunStatus[]).includes(status);
export const isActive = (status: RunStatus): boolean => (ACTIVE_STATUSES as readonly RunStatus[]).includes(status);

/**
 * How one attempt ended. `interrupted` = asked to stop, saved a checkpoint, will go on in another attempt; `refused` = the host's agent
 * could not carry it out and nothing was trained.
 */
export const ATTEMPT_OUTCOMES = ['succeeded', 'failed', 'cancelled', 'interrupted', 'lost', 'refused'] as const;
export const AttemptOutcome = z.enum(ATTEMPT_OUTCOMES);
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

export const FAILURE_CODES = [
  /** The trainer threw: see the message and the last log lines. */
  'trainer_error',
  /** The trainer was ended by a signal that nobody here sent (out of memory, kill -9). */
  'trainer_killed',
  /** The trainer made no step for the whole watchdog time. */
  'stalled',
  /** The host's lease ran out, or the host was restarted under its trainer. */
  'host_lost',
  /** The loss became NaN or infinite. */
  'diverged',
  /** The dataset is missing on the host, has other classes than expected or too many unreadable images. */
  'dataset_invalid',
  /** A teacher's or an initialisation's weights could not be had or do not fit. */
  'weights_missing',
  /** No space left where the trainer or the agent writes. */
  'disk_full',
  /** A step does not fit into the memory of the device or host. */
  'out_of_memory',
  /** A run that this one depends on failed or was cancelled. */
  'dependency_failed',
  /** The run was still not done after its last allowed attempt. */
  'attempts_exhausted',
] as const;
export const FailureCode = z.enum(FAILURE_CODES);
export type FailureCode = z.infer<typeof FailureCode>;

/** Failures that another attempt may cure; all others fail the run at once. */
export const RETRYABLE_FAILURES: ReadonlySet<FailureCode> = new Set(['trainer_killed', 'stalled', 'host_lost']);

/** What a run is for in its study. `labelling` computes soft labels that students learn from. */
export const RUN_ROLES = ['teacher', 'baseline', 'student', 'evaluation', 'labelling'] as const;
export const RunRole = z.enum(RUN_ROLES);
export type RunRole = z.infer<typeof RunRole>;

/** Ablation studies are what people create. All evaluations of a hub are in one more, which no list of studies shows. */
export const STUDY_KINDS = ['ablation', 'evaluation'] as const;
export type StudyKind = (typeof STUDY_KINDS)[number];

export const USER_ROLES = ['owner', 'editor', 'viewer'] as const;
export const UserRole = z.enum(USER_ROLES);
export type UserRole = z.infer<typeof UserRole>;

/** `agent` tokens attach hosts; `program` tokens read and write through the API with the role of an editor or a viewer. */
export const TOKEN_KINDS = ['agent', 'program'] as const;
export const TokenKind = z.enum(TOKEN_KINDS);
export type TokenKind = z.infer<typeof TokenKind>;

/** Of one event on its way to one webhook. `failed` = given up after its last try. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
