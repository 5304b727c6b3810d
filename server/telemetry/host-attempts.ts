/** The bars of a host's timeline. */
import { TELEMETRY_RANGES, type TelemetryWindow } from '@mealtable/protocol/telemetry';
import type { HostAttemptsView, HostAttemptView } from '@mealtable/protocol/telemetry-views';
import type { Queryable } from '../runs/summary.ts';
import { readClock } from './read-clock.ts';

/** More bars than this say nothing that fewer do not. */
export const MAX_HOST_ATTEMPTS = 5_000;

/** Attempts of this host that were under way at some time of the window; of too many the newest. */
export async function listHostAttempts(
  db: Queryable,
  hostId: string,
  window: TelemetryWindow,
  limit: number = MAX_HOST_ATTEMPTS,
): Promise<HostAttemptsView> {
  const now = await readClock(db);
  const { from, to } = 'range' in window ? { from: now - TELEMETRY_RANGES[window.range], to: now } : window;
  const { rows } = await db.query<HostAttemptView>(
    `SELECT a.run_id AS "runId", a.attempt, a.slot, a.outcome, a.failure_code AS "failureCode", r.role, r.seed,
            v.label AS "variantLabel", st.name AS "studyName",
            extract(epoch FROM a.claimed_at)::float8 * 1000 AS "claimedAt",
            extract(epoch FROM a.started_at)::float8 * 1000 AS "startedAt",
            extract(epoch FROM a.ended_at)::float8 * 1000 AS "endedAt"
     FROM run_attempts a JOIN runs r ON r.id = a.run_id JOIN variants v ON v.id = r.variant_id
     JOIN studies st ON st.id = r.study_id
     WHERE a.host_id = $1 AND a.claimed_at < $3 AND (a.ended_at IS NULL OR a.ended_at > $2)
     ORDER BY a.claimed_at DESC, a.run_id, a.attempt LIMIT $4`,
    [hostId, new Date(from), new Date(to), limit + 1],
  );
  return { attempts: rows.slice(0, limit).reverse(), hasMore: rows.length > limit };
}
