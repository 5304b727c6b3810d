/** What a set of soft labels depends on. Runs whose keys are equal share labels; everything that changes a label is in it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { StateDict } from '../weights/state-dict.ts';

/** Of the files and of what their numbers mean: another version never reads or extends them. */
export const LABEL_FORMAT_VERSION = 1;
/** Class numbers take 16 bits. */
const MAX_CLASSES = 0x10000;

const Channels = z.tuple([z.number(), z.number(), z.number()]);

export const LabelKey = z
  .strictObject({
    formatVersion: z.literal(LABEL_FORMAT_VERSION),
    dataset: z.strictObject({
      fingerprint: z.string().min(1),
      /** Images of the train split: places go from 0 to one below. */
      imageCount: z.int().min(1).max(0xffffffff),
    }),
    /** In any order: the mean over them has none. */
    teachers: z
      .array(
        z.strictObject({
          network: z.string().min(1),
          /** From `hashWeights`. */
          weights: z.hex().length(64),
          /** Share in the ensemble; only ratios count. */
          share: z.number().positive(),
          normalisation: z.strictObject({ mean: Channels, std: Channels }),
        }),
      )
      .min(1),
    ensemble: z.strictObject({
      /**
       * Whether softmaxes are averaged, as MEAL V2 does, or logits before one softmax. One random teacher per batch, MEAL V1's
       * way, gives no label that another run could use: there each teacher has a key of its own.
       */
      kind: z.enum(['mean-probability', 'mean-logit']),
      /** Of the probabilities; mean logits are as the teachers give them. */
      temperature: z.number().positive(),
    }),
    views: z.strictObject({
      augmentationSeed: z.int(),
      /** Side of what the teachers see, in pixels. */
      inputSize: z.int().positive(),
      interpolation: z.string().min(1),
    }),
    /** In which the teachers compute. */
    precision: z.enum(['float32', 'bfloat16', 'float16']),
    classCount: z.int().min(2).max(MAX_CLASSES),
    labels: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('full') }),
      /** The k most probable classes and the mass of all others. */
      z.strictObject({ kind: z.literal('top-k'), k: z.union([z.literal(5), z.literal(10)]) }),
    ]),
    /** Whether the teachers' mean logits are stored as well, for a discriminator that takes logits. */
    meanLogits: z.boolean(),
  })
  .refine(({ labels, classCount }) => labels.kind === 'full' || labels.k < classCount, {
    message: 'With no more classes than k nothing is left out: store full labels.',
  });
export type LabelKey = z.infer<typeof LabelKey>;

/** The key's one spelling: fields sorted by name, teachers sorted, shares brought to a sum of 1. Throws for an invalid key. */
export function canonicalKey(key: LabelKey): string {
  const valid = LabelKey.parse(key);
  const shares = valid.teachers.reduce((sum, { share }) => sum + share, 0);
  const teachers = valid.teachers
    .map((teacher) => canonicalJson({ ...teacher, share: Number((teacher.share / shares).toPrecision(12)) }))
    .sort()
    .map((json) => JSON.parse(json));
  return canonicalJson({ ...valid, teachers });
}

/** SHA-256 of the canonical key, in hexadecimal: also the name of the folder that holds its labels. */
export function hashKey(key: LabelKey): string {
  return createHash('sha256').update(canonicalKey(key)).digest('hex');
}

/** SHA-256 over names, types, shapes and numbers of a network, whatever file they came from and in whatever order. */
export function hashWeights(weights: StateDict): string {
  const hash = createHash('sha256');
  for (const name of [...weights.keys()].sort()) {
    const { dtype, shape, data } = weights.get(name)!;
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
}
