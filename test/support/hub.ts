/** A real hub on a free port, with a database and a data folder of its own, and members to ask as. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { UserRole } from '@mealtable/protocol/statuses';
import { inviteMember } from '../../server/auth/members.ts';
import { type NewToken, storeToken } from '../../server/auth/tokens.ts';
import type { Hub } from '../../server/context.ts';
import type { HubEnv } from '../../server/env.ts';
import type { PageMode } from '../../server/http/serve-pages.ts';
import { type HubOptions, startHub } from '../../server/start-hub.ts';
import { createDatabaseUrl } from './database.ts';
import { followLink } from './follow-link.ts';

export interface TestHubOptions {
  env?: Partial<HubEnv>;
  /** Without Next unless the test is about pages. */
  pages?: PageMode;
  now?: () => Date;
  launch?: HubOptions['launch'];
}
export interface TestMember {
  id: string;
  email: string;
  /** For the Cookie header. */
  cookie: string;
}
export interface TestHub {
  hub: Hub;
  /** http://127.0.0.1:<port> */
  url: string;
  ownerLink: string;
  dataDir: string;
  databaseUrl: string;
  /** A new member with this role, signed in. */
  addMember(role: UserRole): Promise<TestMember>;
  /** @param userId null for an agent token of the hub's own */
  addToken(input: NewToken, userId: string | null): Promise<{ id: string; token: string }>;
  /** Stops the hub; data stay until `close`. */
  stop(): Promise<void>;
  /** Starts it again on the same database, data folder and port. */
  restart(): Promise<void>;
  /** Stops it, and fails when it has left a database connection open. */
  close(): Promise<void>;
}

export { followLink };

export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'mealtable-hub-'));
  const database = await createDatabaseUrl();
  const env: HubEnv = {
    port: 0,
    host: '127.0.0.1',
    dataDir,
    databaseUrl: database.url,
    origin: null,
    configFile: null,
    localAgent: false,
    datasetsDir: null,
    keptCheckpoints: 1,
    s3: null,
    ...options.env,
  };
  const { pages = 'none', now, launch } = options;
  const start = (port: number) => startHub({ env: { ...env, port }, pages, now, launch });
  let running = await start(env.port);
  const { port } = running;

  return {
    get hub() {
      return running.hub;
    },
    get ownerLink() {
      return running.ownerLink;
    },
    url: `http://127.0.0.1:${port}`,
    dataDir,
    databaseUrl: database.url,
    async addMember(role) {
      const email = `${role}-${Math.random().toString(36).slice(2)}@example.org`;
      const { link } = await inviteMember(running.hub, { email, name: `The ${role}`, role });
      const { search } = new URL(link);
      const cookie = await followLink(`http://127.0.0.1:${port}/welcome${search}`);
      const { id } = await running.hub.db.user.findUniqueOrThrow({ where: { email } });
      if (cookie === null) throw new Error(`The link of ${email} did not sign in.`);
      return { id, email, cookie };
    },
    addToken: (input, userId) => storeToken(running.hub, input, userId),
    stop: () => running.close(),
    async restart() {
      await running.close();
      running = await start(port);
    },
    async close() {
      await running.close();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
