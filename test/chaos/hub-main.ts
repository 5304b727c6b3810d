/** The hub's program without its pages. Says where it is as one line of JSON; SIGTERM ends it in good order. */
import { parseHubEnv } from '../../server/env.ts';
import { startHub } from '../../server/start-hub.ts';

const { hub, port, ownerLink, close } = await startHub({
  env: parseHubEnv(process.env),
  pages: 'none',
  log: (line) => console.log(line),
});
process.on('SIGTERM', () => void close().then(() => process.exit(0)));
console.log(`UP ${JSON.stringify({ port, ownerLink, databaseUrl: hub.pool.options.connectionString })}`);
