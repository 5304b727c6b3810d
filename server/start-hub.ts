/** Puts the hub together: database, migrations, sign-in, the gate, sockets, pages, and the agent of this machine. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MAX_SOCKET_BYTES } from '@mealtable/protocol/tunables';
import { Server as SocketServer } from 'socket.io';
import { createAuth } from './auth/auth.ts';
import { createSignInLink, ensureOwner } from './auth/members.ts';
import { baseUrlOf, localUrlOf } from './base-url.ts';
import { DiskStore } from './checkpoints/disk-store.ts';
import { S3Store } from './checkpoints/s3-store.ts';
import { Uploads } from './checkpoints/uploads/uploads.ts';
import { Closers } from './closers.ts';
import { createLiveBus, type Hub, idMaker } from './context.ts';
import { isDatabaseDown } from './database-down.ts';
import { openDatabase } from './db.ts';
import type { HubEnv } from './env.ts';
import { explainFileFault } from './explain-file-fault.ts';
import { Exporter } from './exports/exporter.ts';
import { createAllowedHosts } from './http/allowed-hosts.ts';
import { createGate } from './http/gate.ts';
import { checkHandshake, guardSockets, guardUpgrades } from './http/guard-sockets.ts';
import { listen } from './http/listen.ts';
import { createRoutes } from './http/routes.ts';
import { type PageMode, preparePages } from './http/serve-pages.ts';
import { attachSockets } from './hub/attach-sockets.ts';
import { startBackground } from './hub/background.ts';
import { startLocalAgent } from './launch/local.ts';
import { Launchers, type LaunchersOptions } from './launchers/launchers.ts';
import { packOldRecords } from './metrics/pack-old-records.ts';
import { checkServer } from './postgres/check-server.ts';
import { startEmbeddedPostgres } from './postgres/embedded.ts';
import { holdHubLock } from './postgres/hub-lock.ts';
import { migrateDatabase } from './postgres/migrate.ts';
import { PROJECT_DIR } from './project-dir.ts';
import { readOrMakeSecretFile } from './secret-file.ts';
import { StartupFault } from './startup-fault.ts';

const DATABASE_LOST = 'The database went away while the hub was starting. Start it again; nothing is lost.';

export interface HubOptions {
  env: HubEnv;
  pages: PageMode;
  now?: () => Date;
  /** For tests: another project to bring to hosts, other variables for their programs, other times. */
  launch?: Partial<LaunchersOptions>;
  /** Progress and notices, one line each. */
  log?(line: string): void;
}
export interface RunningHub {
  hub: Hub;
  port: number;
  /** Signs the longest-standing owner in, once. */
  ownerLink: string;
  /** Ends the local agent, sockets, requests and the database, in this order. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws {StartupFault} when something outside keeps it from starting; nothing is left running then */
export async function startHub(options: HubOptions): Promise<RunningHub> {
  const log = options.log ?? (() => {});
  const closers = new Closers();
  const close = () => closers.closeAll((name, error) => console.error(`${name} did not close in good order:`, error));
  try {
    return { ...(await open(options, closers, log)), close };
  } catch (error) {
    await close();
    if (!(error instanceof StartupFault) && isDatabaseDown(error))
      throw new StartupFault(DATABASE_LOST, { cause: error });
    throw explainFileFault(error, options.env.dataDir);
  }
}

async function open(
  { env, pages, now = () => new Date(), launch }: HubOptions,
  closers: Closers,
  log: (line: string) => void,
) {
  mkdirSync(env.dataDir, { recursive: true });
  const listening = await listen(env.host, env.port);
  closers.add('The port', listening.close);
  // The two slowest steps, side by side.
  const [url, served] = await bothOrThrow(openPostgres(env, closers, log), preparePages(pages, listening, env.host));
  closers.add('Next', served.close);

  await migrateDatabase(url);
  const { db, pool, close } = openDatabase(url);
  closers.add('The database connections', close);
  const blobsDir = path.join(env.dataDir, 'blobs');
  const blobs = env.s3 ? await S3Store.open(env.s3, blobsDir) : new DiskStore(blobsDir);
  const exporter = new Exporter({ pool, blobs }, { folder: path.join(env.dataDir, 'exporting') });
  await exporter.prepare();
  closers.add('The converter', () => exporter.close());
  const core = {
    db,
    pool,
    bus: createLiveBus(),
    env,
    now,
    ids: idMaker(now),
    auth: createAuth({ db, secret: readOrMakeSecretFile(path.join(env.dataDir, 'auth-secret')), now }),
    baseUrl: () => baseUrlOf(env, listening.port),
    blobs,
    exporter,
    uploads: new Uploads(path.join(blobsDir, 'arriving'), now),
    blobsDir,
  };
  await packOldRecords(core, (records) =>
    log(`${records.toLocaleString('en')} metrics records of an older version are packed.`),
  );
  const launchers = new Launchers(core, {
    ...{ projectDir: PROJECT_DIR, variables: process.env, port: listening.port, log },
    ...launch,
  });
  const hub: Hub = { ...core, launchers };
  const owner = await ensureOwner(hub);
  const background = await startBackground(hub);
  closers.add('The background tasks', background.stop);
  await launchers.start();
  closers.add('The launchers', () => launchers.close());
  // Again, as the port is to be closed after the sockets and before the database. The second time finds it closed.
  closers.add('The port', listening.close);

  const hosts = createAllowedHosts(env);
  listening.open(createGate({ hub, hosts, routes: createRoutes(served.servePage, pages === 'development') }));
  const io = new SocketServer(listening.server, {
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: MAX_SOCKET_BYTES,
    // Next's development client shares the port for its own updates.
    destroyUpgrade: pages !== 'development',
    allowRequest: checkHandshake(hosts),
  });
  guardUpgrades(listening.server, hosts, pages === 'development');
  guardSockets(io, hub, hosts);
  const sockets = attachSockets(io, hub);
  closers.add('The sockets', () => {
    sockets.close();
    // Not io.close(): that closes the HTTP server, too, which comes later. Clients take this for a lost connection.
    io.engine.close();
  });

  if (env.localAgent) {
    const agent = await startLocalAgent(hub, { hubUrl: localUrlOf(env, listening.port), log });
    closers.add('The local agent', agent.stop);
  }
  // While the local agent saves its work it must not be given more.
  closers.add('Granting', sockets.stopGranting);
  const { link } = await createSignInLink(hub, owner);
  return { hub, port: listening.port, ownerLink: link };
}

/** Waits for both even when one fails: what the other has opened by then is to be closed. */
async function bothOrThrow<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** @returns the address of a database that this hub alone uses */
async function openPostgres(env: HubEnv, closers: Closers, log: (line: string) => void): Promise<string> {
  if (env.databaseUrl !== null) {
    const url = env.databaseUrl;
    await checkServer(url);
    closers.add('The hub lock', await holdHubLock({ url, revive: async () => {}, log }));
    return url;
  }
  const start = () => startEmbeddedPostgres({ dataDir: env.dataDir });
  const { url, notice, stop } = await start();
  if (notice) log(notice);
  // Locked before it is ours to stop: with another hub on it, it stays.
  const unlock = await holdHubLock({ url, revive: start, log });
  closers.add('Postgres', stop);
  closers.add('The hub lock', unlock);
  return url;
}
