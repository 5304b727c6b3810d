/** The hub's times under chaos: the product's own, made small, so that minutes of trouble hold what else takes days. */
export const TIMES = {
  HEARTBEAT_MS: 400,
  LEASE_MS: 3_000,
  LEASE_SWEEP_MS: 300,
  POLL_MS: 500,
  SPOOL_READ_MS: 40,
  ACK_TIMEOUT_MS: 2_500,
  STOP_GRACE_MS: 1_500,
  /** Small, so that a run's records are many batches. */
  MAX_BATCH_RECORDS: 25,
  /** Trainers are killed far more often than any study allows. */
  MAX_ATTEMPTS: 10_000,
  /** A host rests after trainers were killed on it, but not for long. */
  REST_MS: 1_000,
} as const;
