/** Whether a host is there, by the database's clock. */
import { UNREACHABLE_AFTER_MS } from '@mealtable/protocol/tunables';

/** SQL: the state of host `h`. Silence is judged when read; nothing is changed by it. */
export const HOST_STATE = `
  CASE WHEN h.detached_at IS NOT NULL THEN 'detached'
       WHEN h.last_seen_at > now() - ${UNREACHABLE_AFTER_MS} * interval '1 millisecond' THEN 'online'
       ELSE 'unreachable' END`;

/** SQL: host `h` is the agent of one batch job; its cluster stands for it in lists. */
export const IS_OF_JOB = `EXISTS (SELECT 1 FROM launchers l WHERE l.id = h.launcher_id AND l.kind = 'slurm')`;
