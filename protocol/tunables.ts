/** All times, sizes and limits, each with its sentence. The hub sends `agentTunables` to agents in the handshake. */

/** Number spoken on the agent socket. A hub refuses agents of later ones with one clear sentence. */
export const PROTOCOL_VERSION = 2;
/** The hub still takes agents that speak this: hub and hosts need not be updated at the same moment. */
export const OLDEST_PROTOCOL_VERSION = PROTOCOL_VERSION - 1;

/** How often an agent says that it lives. */
export const HEARTBEAT_MS = 10_000;
/** Silence after which a host is shown as unreachable; derived when read, nothing is changed by it. */
export const UNREACHABLE_AFTER_MS = 30_000;
/** Silence after which the hub takes an attempt away from its host and queues the run again. */
export const LEASE_MS = 120_000;
/** How often the hub looks for attempts whose lease ran out. */
export const LEASE_SWEEP_MS = 15_000;
/** Slow poll behind every nudge: a lost nudge costs at most this. */
export const POLL_MS = 5_000;
/** How often the agent looks for new lines in a trainer's record file. */
export const SPOOL_READ_MS = 250;
/** Largest number of records in one batch. */
export const MAX_BATCH_RECORDS = 500;
/** Largest number of bytes of one batch, well under the socket's limit. */
export const MAX_BATCH_BYTES = 1_000_000;
/** Largest message that the hub's sockets accept. */
export const MAX_SOCKET_BYTES = 4_000_000;
/** How long an emit waits for its ack before it is sent again. */
export const ACK_TIMEOUT_MS = 10_000;
/** Time a trainer gets between SIGTERM (save a checkpoint) and SIGKILL. */
export const STOP_GRACE_MS = 15_000;
/** A trainer that writes no record for this long is stopped as `stalled`. */
export const STALL_AFTER_MS = 600_000;
/** A local agent without runs that cannot reach its hub for this long ends by itself. */
export const ORPHAN_EXIT_MS = 120_000;
/** Attempts a run gets before it fails for good. */
export const MAX_ATTEMPTS = 5;
/** So many runs in a row that failed on a host put it to rest: it, and not the runs, is then the likely cause. */
export const REST_AFTER_FAILURES = 3;
/** Only failures this soon after the run was taken count towards a rest. */
export const REST_WITHIN_MS = 300_000;
/** How long a host takes no runs after that, unless somebody wakes it. */
export const REST_MS = 900_000;
/** Broadcasts to browsers are gathered for this long. */
export const LIVE_COALESCE_MS = 50;
/** Lists and tables learn this often how far the running runs have come; what happens to a run they learn at once. */
export const RUN_PROGRESS_MS = 1_000;
/** Last lines of output kept with a failed attempt. */
export const FAILURE_LOG_LINES = 50;
/** Longest log line stored; the rest is cut and marked. */
export const MAX_LOG_LINE = 4_000;

/** A design above this is refused: nobody means it, and the table could not be read. */
export const MAX_RUNS_PER_STUDY = 500;
/** Unreadable images tolerated in one split, as a share of it, before the run stops as `dataset_invalid`. */
export const MAX_UNREADABLE_SHARE = 0.05;
/** Largest checkpoint file taken over HTTP. */
export const MAX_BLOB_BYTES = 20_000_000_000;
/** Files above this travel in parts of so many bytes. */
export const UPLOAD_PART_BYTES = 32 * 1024 * 1024;
/** An upload on which nothing moves for so long is cut; it is taken up again. */
export const UPLOAD_SILENCE_MS = 60_000;
/** What has arrived of an upload is deleted so long after its last byte. */
export const UPLOAD_EXPIRY_MS = 24 * 3_600_000;
/** The link that signs the owner or an invited member in works this long, and once. */
export const SIGN_IN_LINK_HOURS = 24;
/** After signing in by a link, a forgotten password can be replaced without knowing it for this long. */
export const LINK_PASSWORD_MINUTES = 30;

/** How often a host measures itself. */
export const SAMPLE_MS = 5_000;
/** What a host measured is kept as it is for this long, and as means over a minute for `KEEP_MINUTE_MEANS_MS`. */
export const KEEP_SAMPLES_MS = 24 * 3_600_000;
export const KEEP_MINUTE_MEANS_MS = 30 * 24 * 3_600_000;
/** How often the hub makes means over minutes and deletes what is too old. */
export const TELEMETRY_SWEEP_MS = 30_000;

/** Events of no study are deleted after this; those of a study go with it. */
export const EVENT_KEEP_DAYS = 90;
/** Deliveries of webhooks that have ended are deleted this long after their event. */
export const DELIVERY_KEEP_DAYS = 30;
/** How often the hub looks for what is too old of both. */
export const EVENT_SWEEP_MS = 3_600_000;
/** A receiver that has not answered after this is tried again later. */
export const WEBHOOK_TIMEOUT_MS = 10_000;
/** A try that has said nothing for this long was cut off with its hub: it is made again. */
export const WEBHOOK_CLAIM_MS = 60_000;
/** How often the hub looks for deliveries that are due, besides at once after an event. */
export const WEBHOOK_POLL_MS = 5_000;
/** Waits after the first, second, ... failed try, 17 hours in all; after one more try a delivery has failed. */
export const WEBHOOK_RETRY_MS: readonly number[] = [
  10_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000,
];
/** Bytes of a receiver's answer that are read. */
export const MAX_WEBHOOK_ANSWER_BYTES = 4_096;
/** Webhooks of one hub. */
export const MAX_WEBHOOKS = 50;
/** A conversion of a model that takes longer is ended. */
export const EXPORT_DEADLINE_MS = 300_000;
/** Conversions that wait at once, the one at work included; further ones are refused until there is room. */
export const MAX_WAITING_EXPORTS = 32;
/** Converted models that nobody asks for in so long are deleted; they can be made again. */
export const EXPORT_KEPT_MS = 30 * 24 * 3_600_000;

export interface AgentTunables {
  heartbeatMs: number;
  pollMs: number;
  spoolReadMs: number;
  ackTimeoutMs: number;
  stopGraceMs: number;
  stallAfterMs: number;
  maxBatchRecords: number;
  maxBatchBytes: number;
  sampleMs: number;
}
export const agentTunables: AgentTunables = {
  heartbeatMs: HEARTBEAT_MS,
  pollMs: POLL_MS,
  spoolReadMs: SPOOL_READ_MS,
  ackTimeoutMs: ACK_TIMEOUT_MS,
  stopGraceMs: STOP_GRACE_MS,
  stallAfterMs: STALL_AFTER_MS,
  maxBatchRecords: MAX_BATCH_RECORDS,
  maxBatchBytes: MAX_BATCH_BYTES,
  sampleMs: SAMPLE_MS,
};
