/** What a job asks of Slurm. Each text becomes one #SBATCH line. */
import { z } from 'zod';

const word = (what: string) =>
  z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.,:=-]{0,199}$/, `${what} is one word, as sbatch takes it.`);

/** Options that say which run a job is and how it ends: a job with others could not be found again. */
const OWN_OPTIONS = [
  ...['job-name', 'comment', 'output', 'error', 'open-mode', 'array', 'wrap', 'export', 'export-file', 'signal'],
  ...['requeue', 'no-requeue', 'chdir', 'parsable', 'test-only', 'wait', 'uid', 'gid', 'input', 'clusters'],
];

/** The option's name in a line such as `--constraint=a100`. */
const optionName = (line: string) => line.slice(2).split(/[=\s]/, 1)[0] ?? '';
/** sbatch takes any beginning of an option's name that no other has. */
const isOwn = (line: string) => OWN_OPTIONS.some((own) => own.startsWith(optionName(line)));

/** One further option of sbatch. */
export const SbatchLine = z
  .string()
  .trim()
  .max(300, 'A line has at most 300 characters.')
  .refine((line) => !/\p{Cc}/u.test(line), 'Write each option on a line of its own.')
  .refine(
    (line) => /^--[a-z][a-z-]*([=\s].+)?$/.test(line),
    'A line is one option of sbatch in its long form, such as --constraint=a100.',
  )
  .refine((line) => !isOwn(line), {
    error: ({ input }) => `--${optionName(String(input))} is set by Mealtable: leave it out.`,
  });

export const JobBatch = z.strictObject({
  partition: word('A partition').optional(),
  account: word('An account').optional(),
  qos: word('A quality of service').optional(),
  /** Absent: what the partition gives. */
  timeLimit: z
    .string()
    .regex(
      /^(\d{1,6}|\d{1,6}:\d{2}|\d{1,4}:\d{2}:\d{2}|\d{1,3}-\d{1,2}(:\d{2}){0,2})$/,
      'A time limit is minutes, hours:minutes:seconds or days-hours, such as 90, 12:00:00 or 2-0.',
    )
    .optional(),
  /** Generic resources, as in gpu:1 or gpu:a100:1. Absent: no GPU is asked for. */
  gres: word('A resource').optional(),
  cpus: z.int('CPUs are a whole number.').min(1, 'At least 1 CPU.').max(4096, 'At most 4,096 CPUs.').optional(),
  memory: z
    .string()
    .regex(/^\d{1,7}[KMGT]?$/, 'Memory is a number with K, M, G or T, such as 32G.')
    .optional(),
  extraLines: z.array(SbatchLine).max(50, 'At most 50 further lines.').default([]),
  /** Whether Slurm itself may start the job again after a failure of its node or when another job takes its place. */
  requeue: z.boolean().default(true),
  /** Seconds before the time limit at which the run is asked for a checkpoint. Slurm may be up to a minute early. */
  signalLeadSeconds: z
    .int('The lead is whole seconds.')
    .min(30, 'The lead is at least 30 s, or a checkpoint may not be ready.')
    .max(3600, 'The lead is at most 3,600 s.')
    .default(180),
});
export type JobBatch = z.infer<typeof JobBatch>;
