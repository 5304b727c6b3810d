/** Files what a host measured. A second delivery of the same sample changes nothing. */
import type { SampleBatch, SampleReply } from '@mealtable/protocol/telemetry';
import { KEEP_SAMPLES_MS } from '@mealtable/protocol/tunables';
import type { CoreHub } from '../runs/transaction.ts';

/** How far ahead of the database a sample may be: clocks run on between a hello and a sample. */
const AHEAD_MS = 60_000;

/** Samples of times that cannot be, and those that would be deleted at once, are left out. */
export async function storeSamples(
  hub: CoreHub,
  hostId: string,
  { widthS, samples }: SampleBatch,
): Promise<SampleReply> {
  const { rows } = await hub.pool.query<{ at: Date }>(
    `INSERT INTO host_samples (host_id, width_s, at, sample)
     SELECT h.id, $2, to_timestamp(s.at / 1000), s.sample
     FROM hosts h, unnest($3::float8[], $4::jsonb[]) AS s(at, sample)
     WHERE h.id = $1 AND to_timestamp(s.at / 1000) BETWEEN now() - $5 * interval '1 millisecond'
                                                       AND now() + $6 * interval '1 millisecond'
     ON CONFLICT DO NOTHING RETURNING at`,
    [
      hostId,
      widthS,
      samples.map(({ at }) => at),
      samples.map(({ at: _, ...sample }) => JSON.stringify(sample)),
      KEEP_SAMPLES_MS,
      AHEAD_MS,
    ],
  );
  const stored = new Set(rows.map(({ at }) => at.getTime()));
  const newest = samples.filter(({ at }) => stored.has(Math.round(at))).at(-1);
  if (newest) {
    const { at, ...sample } = newest;
    hub.bus.emit('host:sampled', { hostId, at, sample });
  }
  return { ok: true };
}
