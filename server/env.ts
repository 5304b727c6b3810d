/** The hub's settings: read from the environment once, in main.ts, and passed down. */
import path from 'node:path';
import { z } from 'zod';
import { readS3Settings, type S3Settings, s3Variables } from './checkpoints/s3-settings.ts';
import { PROJECT_DIR } from './project-dir.ts';
import { StartupFault } from './startup-fault.ts';

const Flag = z
  .enum(['1', 'true', 'yes', '0', 'false', 'no'], { error: 'must be 1 or 0' })
  .transform((word) => ['1', 'true', 'yes'].includes(word));

const Port = z.coerce
  .number({ error: 'must be a whole number from 0 to 65535' })
  .int('must be a whole number from 0 to 65535')
  .min(0, 'must be a whole number from 0 to 65535')
  .max(65535, 'must be a whole number from 0 to 65535');

const Origin = z
  .url({ protocol: /^https?$/, error: 'must be an address such as https://mealtable.example.org' })
  .transform((text) => new URL(text).origin);

const Variables = z.object({
  /** Port of the one HTTP server; 0 takes a free one. */
  PORT: Port.default(3000),
  /** Address to listen on. Anything but a loopback address opens the hub to the network. */
  HOST: z.string().default('127.0.0.1'),
  /** Folder of the embedded database, the checkpoints and the local agent. */
  MEALTABLE_DATA: z.string().optional(),
  /** A Postgres server of one's own (10 to 18) instead of the embedded one. */
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must look like postgresql://user:password@host:5432/database' })
    .optional(),
  /** Address that browsers use when a proxy stands before the hub; allowed as Host and Origin besides the own one. */
  MEALTABLE_ORIGIN: Origin.optional(),
  /** File that launchers are kept in, beside those that owners add; mealtable.config.json in the data folder unless set. */
  MEALTABLE_CONFIG: z.string().optional(),
  /** Start no local trainer host. */
  MEALTABLE_NO_AGENT: Flag.default(false),
  /** Folder in which every subfolder is a dataset, for the local trainer host. */
  MEALTABLE_DATASETS: z.string().optional(),
  /** Of each run, beside its best one: the latest so many checkpoints are kept. */
  MEALTABLE_KEEP_CHECKPOINTS: z.coerce
    .number({ error: 'must be a whole number from 1' })
    .int('must be a whole number from 1')
    .min(1, 'must be a whole number from 1')
    .default(1),
  ...s3Variables,
});

export interface HubEnv {
  port: number;
  host: string;
  dataDir: string;
  databaseUrl: string | null;
  origin: string | null;
  /** Absolute; null: the one in the data folder, if there is one. */
  configFile: string | null;
  localAgent: boolean;
  datasetsDir: string | null;
  /** At least 1: the one to go on from. */
  keptCheckpoints: number;
  /** Null: checkpoints are kept in the data folder. */
  s3: S3Settings | null;
}

/**
 * @param variables `process.env`, or a test's own; empty strings count as not set
 * @throws {StartupFault} naming the variable, what it must be and what it was
 */
export function parseHubEnv(variables: Record<string, string | undefined>): HubEnv {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = Variables.safeParse(set);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0]);
    // A database address holds a password, so its value is not repeated.
    const shown = name === 'DATABASE_URL' || name.includes('_KEY') ? '' : `; it is "${set[name]}"`;
    throw new StartupFault(`The environment variable ${name} ${issue?.message}${shown}.`);
  }
  const env = parsed.data;
  return {
    port: env.PORT,
    host: env.HOST,
    dataDir: path.resolve(env.MEALTABLE_DATA ?? path.join(PROJECT_DIR, '.mealtable')),
    databaseUrl: env.DATABASE_URL ?? null,
    origin: env.MEALTABLE_ORIGIN ?? null,
    configFile: env.MEALTABLE_CONFIG === undefined ? null : path.resolve(env.MEALTABLE_CONFIG),
    localAgent: !env.MEALTABLE_NO_AGENT,
    datasetsDir: env.MEALTABLE_DATASETS === undefined ? null : path.resolve(env.MEALTABLE_DATASETS),
    keptCheckpoints: env.MEALTABLE_KEEP_CHECKPOINTS,
    s3: readS3Settings(env),
  };
}
