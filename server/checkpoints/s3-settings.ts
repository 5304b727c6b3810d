/** Where checkpoints are kept when it is not the hub's disk: read from the environment once, with the hub's other settings. */
import { z } from 'zod';
import { StartupFault } from '../startup-fault.ts';

export interface S3Settings {
  bucket: string;
  /** Empty, or ends with a slash. */
  prefix: string;
  /** Null: Amazon's own, by the region. */
  endpoint: string | null;
  region: string;
  /** The bucket is in the path instead of the host name. */
  pathStyle: boolean;
  /** Null: whatever the AWS environment, profile or instance role gives. */
  credentials: { accessKeyId: string; secretAccessKey: string } | null;
  /** Checksums on the way, which some older stores do not understand. */
  checksums: boolean;
}

const Flag = z
  .enum(['1', 'true', 'yes', '0', 'false', 'no'], { error: 'must be 1 or 0' })
  .transform((word) => ['1', 'true', 'yes'].includes(word));

/** The hub's variables for it, by name. */
export const s3Variables = {
  /** Keep checkpoints in this bucket of an S3-compatible store instead of the data folder. */
  MEALTABLE_S3_BUCKET: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/, 'must be the name of a bucket')
    .optional(),
  /** Address of the store; Amazon's own unless set. */
  MEALTABLE_S3_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an address such as https://minio.example.org:9000' })
    .optional(),
  MEALTABLE_S3_REGION: z.string().default('us-east-1'),
  /** Put before the names of all objects, such as mealtable/. One hub owns a prefix. */
  MEALTABLE_S3_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,200}$/, 'must be letters, digits, dashes and slashes')
    .optional(),
  /** The bucket in the path instead of the host name; as most stores besides Amazon's want it, where an endpoint is set. */
  MEALTABLE_S3_PATH_STYLE: Flag.optional(),
  /** Both, or neither: then whatever the AWS environment, profile or instance role gives. */
  MEALTABLE_S3_ACCESS_KEY_ID: z.string().optional(),
  MEALTABLE_S3_SECRET_ACCESS_KEY: z.string().optional(),
  /** 0 for older stores that refuse checksums on the way. */
  MEALTABLE_S3_CHECKSUMS: Flag.default(true),
};
const S3Variables = z.object(s3Variables);

/** @throws {StartupFault} when only one of the keys is there, or something is set without a bucket */
export function readS3Settings(env: z.infer<typeof S3Variables>): S3Settings | null {
  const { MEALTABLE_S3_BUCKET: bucket, MEALTABLE_S3_PREFIX: prefix, MEALTABLE_S3_ENDPOINT: endpoint } = env;
  if (bucket === undefined) {
    if (endpoint === undefined) return null;
    throw new StartupFault('MEALTABLE_S3_ENDPOINT is set and MEALTABLE_S3_BUCKET is not: set both, or neither.');
  }
  const { MEALTABLE_S3_ACCESS_KEY_ID: id, MEALTABLE_S3_SECRET_ACCESS_KEY: secret } = env;
  if ((id === undefined) !== (secret === undefined))
    throw new StartupFault(
      `MEALTABLE_S3_${id === undefined ? 'ACCESS_KEY_ID' : 'SECRET_ACCESS_KEY'} is missing: set both keys, or neither to use those of the AWS environment.`,
    );
  return {
    bucket,
    prefix: prefix === undefined || prefix.endsWith('/') ? (prefix ?? '') : `${prefix}/`,
    endpoint: endpoint ?? null,
    region: env.MEALTABLE_S3_REGION,
    pathStyle: env.MEALTABLE_S3_PATH_STYLE ?? endpoint !== undefined,
    credentials: id === undefined || secret === undefined ? null : { accessKeyId: id, secretAccessKey: secret },
    checksums: env.MEALTABLE_S3_CHECKSUMS,
  };
}
