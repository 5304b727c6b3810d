/** Whether a host is there, by the database's clock. */
import { UNREACHABLE_AFTER_MS } from '@mealtable/protocol/tunables';

/** SQL: the state of host `h`. Silence is judged when read; nothing is changed by it. */
export const HOST_STATE = `
  CASE WHEN h.detached_at IS NOT NULL THEN 'detached'
       WHEN h.last_seen_at > now() - ${UNREACHABLE_AFTER_MS} * interval '1 millisecond' THEN 'online'
       ELSE 'unreachable' END`;
