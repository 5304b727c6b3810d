/** Databases of hubs that kept a row per metrics record: the rows become chunks, before the hub serves anybody. */
import { type CoreHub, transact } from '../runs/transaction.ts';
import { lengthOf, type Track } from './codec/track.ts';
import { insertChunks, lockMetrics } from './rows.ts';

/** Rows of one transaction: what is in memory at a time, and what is done again when the hub is stopped in between. */
export const PACKED_AT_ONCE = 2_000;

/** Records between two lines of progress. */
const TOLD_EVERY = 100_000;

interface OldRow {
  attempt: number;
  seq: number;
  step: number;
  epoch: number;
  at: number;
  series_id: number[];
  values: number[];
}

/** Takes a second for about twenty thousand of them. @param tell how many are packed, now and then */
export async function packOldRecords(
  hub: CoreHub,
  tell: (records: number) => void = () => {},
  atOnce = PACKED_AT_ONCE,
): Promise<void> {
  for (let packed = 0; ; ) {
    const { rows } = await hub.pool.query<{ run_id: string; attempt: number }>(
      'SELECT run_id, attempt FROM metric_records ORDER BY run_id, attempt LIMIT 1',
    );
    if (!rows[0]) return;
    const { run_id: runId, attempt } = rows[0];
    for (let done = -1; done !== 0; ) {
      done = await packSome(hub, runId, attempt, atOnce);
      if (Math.floor((packed + done) / TOLD_EVERY) > Math.floor(packed / TOLD_EVERY)) tell(packed + done);
      packed += done;
    }
  }
}

/** The first rows of an attempt. Rows go and the chunk comes in one transaction. @returns how many there were */
function packSome(hub: CoreHub, runId: string, attempt: number, atOnce: number): Promise<number> {
  return transact(hub, async (tx) => {
    await lockMetrics(tx, [runId]);
    const { rows } = await tx.query<OldRow>(
      `DELETE FROM metric_records WHERE run_id = $1 AND attempt = $2 AND seq IN (
         SELECT seq FROM metric_records WHERE run_id = $1 AND attempt = $2 ORDER BY seq LIMIT $3)
       RETURNING attempt, seq, step, epoch, (extract(epoch FROM at) * 1000)::float8 AS at, series_id, "values"`,
      [runId, attempt, atOnce],
    );
    if (rows.length === 0) return 0;
    rows.sort((a, b) => a.seq - b.seq);
    const tracks = toTracks(rows);
    await insertChunks(tx, [{ runId, attempt, tracks }]);
    return tracks.reduce((sum, track) => sum + lengthOf(track), 0);
  });
}

function toTracks(rows: readonly OldRow[]): Track<number>[] {
  const sets = new Map<string, OldRow[]>();
  for (const row of rows) {
    const key = row.series_id.join();
    const same = sets.get(key);
    if (same) same.push(row);
    else sets.set(key, [row]);
  }
  return [...sets.values()].map((same) => ({
    metrics: same[0]!.series_id,
    rows: {
      seq: Float64Array.from(same, (row) => row.seq),
      step: Float64Array.from(same, (row) => row.step),
      at: Float64Array.from(same, (row) => row.at),
      epoch: Float64Array.from(same, (row) => row.epoch),
    },
    columns: same[0]!.series_id.map((_, i) => Float64Array.from(same, (row) => row.values[i]!)),
  }));
}
