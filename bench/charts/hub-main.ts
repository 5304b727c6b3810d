/** The hub with its pages, as the benchmark starts it; asked by its parent it fills runs with points, as agents' batches are stored. */
import { parseHubEnv } from '../../server/env.ts';
import { startHub } from '../../server/start-hub.ts';
import { addHost, type Filling, fillRuns } from './fill-runs.ts';

export interface ChartsHub {
  url: string;
  ownerLink: string;
  /** Of the host that runs are filled on. */
  hostId: string;
}

const { hub, port, ownerLink, close } = await startHub({
  env: parseHubEnv(process.env),
  pages: 'production',
  log: console.log,
});
process.on('SIGTERM', () => void close().then(() => process.exit(0)));
process.on('message', (filling: Filling) => {
  fillRuns(hub, filling).then(
    (points) => process.send?.({ points }),
    (error) => process.send?.({ fault: String(error) }),
  );
});
const hostId = await addHost(hub);
process.send?.({ url: `http://127.0.0.1:${port}`, ownerLink, hostId } satisfies ChartsHub);
