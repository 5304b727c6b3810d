/** What every function of the hub may need, passed in by main.ts or by a test; nothing is reached through a global. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type IdKind, makeId } from '@mealtable/protocol/ids';
import type { HubToBrowser } from '@mealtable/protocol/live-messages';
import type { UserRole } from '@mealtable/protocol/statuses';
import type pg from 'pg';
import type { HubAuth } from './auth/auth.ts';
import type { BlobStore } from './checkpoints/blob-store.ts';
import type { Uploads } from './checkpoints/uploads/uploads.ts';
import type { PrismaClient } from './db.ts';
import type { HubEnv } from './env.ts';
import type { Exporter } from './exports/exporter.ts';
import type { Launchers } from './launchers/launchers.ts';
import type { ShareVisitor } from './shares/share-rows.ts';

/** Everything that parts of the hub tell each other in passing. Losing any of it costs at most one slow poll. */
export type LiveEvents = { [E in keyof HubToBrowser]: Parameters<HubToBrowser[E]> } & {
  /** Work may be claimable or an attempt is to be stopped: agents should ask. Null means every host. */
  'agents:nudge': [hostId: string | null];
  /** A delivery of a webhook waits to be made. */
  'webhooks:due': [];
  /** An agent of this launcher has said hello. */
  'launcher:attached': [launcherId: string];
  /** A member, a session, a token or a share link may do less than before (or nothing): sockets opened with it are closed. */
  'access:changed': [subject: { userId: string } | { credentialId: string }];
};
export type LiveBus = EventEmitter<LiveEvents>;

export function createLiveBus(): LiveBus {
  // Every socket namespace and test may listen; there is no sensible number to warn at.
  return new EventEmitter<LiveEvents>().setMaxListeners(0);
}

export interface Hub {
  db: PrismaClient;
  /** The same connections as `db`, for hand-written SQL. */
  pool: pg.Pool;
  bus: LiveBus;
  env: HubEnv;
  now(): Date;
  ids(kind: IdKind): string;
  auth: HubAuth;
  /** Address for links that people open: MEALTABLE_ORIGIN, or where the hub listens. */
  baseUrl(): string;
  launchers: Launchers;
  /** Files by their hash: of checkpoints, and of what is made from them. */
  blobs: BlobStore;
  /** Makes models of other formats. */
  exporter: Exporter;
  /** Files that agents are sending in parts. */
  uploads: Uploads;
  /** Folder of the disk's blob store, and in any case of what is still arriving. */
  blobsDir: string;
}

/** Who asks: a signed-in member, or a program on a member's behalf. */
export interface Member {
  id: string;
  name: string;
  email: string;
  /** For a program the lower of its token's and its member's role. */
  role: UserRole;
  via: 'session' | 'token';
  /** Id of the session or the token that was shown. */
  credentialId: string;
}

export interface ApiContext extends Hub {
  member: Member | null;
  /** Instead of the member: somebody who came by a share link. */
  visitor?: ShareVisitor | null;
}

/** Ids for a clock: sortable by the time of making. */
export function idMaker(now: () => Date): Hub['ids'] {
  return (kind) => makeId(kind, now().getTime(), randomBytes(12));
}
