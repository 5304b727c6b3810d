/** One attempt from its work order to its end, whatever it is that the run does. */
import { runEvaluation } from './evaluation-attempt.ts';
import { isTraining, type TrainerJob } from './job.ts';
import { runLabelling } from './labelling-attempt.ts';
import type { LabellingLimits } from './labelling-progress.ts';
import type { RecordWriter } from './record-writer.ts';
import { runTrainingAttempt } from './training-attempt.ts';

export interface AttemptContext {
  attemptDir: string;
  job: TrainerJob;
  records: Pick<RecordWriter, 'write' | 'log'>;
  /** The bundled image-worker.ts. */
  imageWorkerUrl: URL;
  /** Asked between steps. */
  shouldStop: () => boolean;
  /** Bytes of memory that a run on the CPU may still take, null for not known. Asked before the first step. */
  freeBytes?: () => number | null;
  /** Where soft labels are kept; this host's cache unless given. */
  labelsFolder?: string;
  /** Of a run that labels; LABELLING_LIMITS unless given. */
  labellingLimits?: Partial<LabellingLimits>;
}

/** Rejects with whatever ended the run early; `describeFailure` puts it into words. */
export async function runAttempt({ job, ...context }: AttemptContext): Promise<'succeeded' | 'interrupted'> {
  if (isTraining(job)) return runTrainingAttempt({ ...context, job });
  if (job.grant.config.task === 'labelling') return runLabelling({ ...context, job });
  return runEvaluation({ ...context, job });
}
