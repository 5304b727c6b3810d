/** When members and tokens were last seen, written at most once a minute for each. */
import type { Hub } from '../context.ts';

const WRITE_EVERY_MS = 60_000;

type Seen = Pick<Hub, 'db' | 'now'>;

/** Last writes per database, by id. Grows with members and tokens, not with requests. */
const written = new WeakMap<Hub['db'], Map<string, number>>();

function isDue({ db, now }: Seen, id: string): boolean {
  const times = written.get(db) ?? new Map<string, number>();
  written.set(db, times);
  const last = times.get(id);
  if (last !== undefined && now().getTime() - last < WRITE_EVERY_MS) return false;
  times.set(id, now().getTime());
  return true;
}

/** updateMany: whoever was removed in between is no error. */
export async function touchUser(hub: Seen, id: string): Promise<void> {
  if (isDue(hub, id)) await hub.db.user.updateMany({ where: { id }, data: { lastSeenAt: hub.now() } });
}

export async function touchToken(hub: Seen, id: string): Promise<void> {
  if (isDue(hub, id)) await hub.db.token.updateMany({ where: { id }, data: { lastUsedAt: hub.now() } });
}
