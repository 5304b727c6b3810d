/** One socket for the page: rooms are counted, joined again after a reconnect, and watchers are told about both. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserToHub, HubToBrowser, WatchTopic } from '@mealtable/protocol/live-messages';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveConnection } from '../../components/live-connection.ts';

const RUN: WatchTopic = { kind: 'run', runId: 'run_0000000000000000000001' };

let http: HttpServer;
let hub: Server<BrowserToHub, HubToBrowser>;
let connection: LiveConnection;
let heard: string[];
let isRefusing: boolean;

beforeEach(async () => {
  http = createServer();
  hub = new Server(http);
  heard = [];
  isRefusing = false;
  const live = hub.of('/live');
  live.use((_, next) => next(isRefusing ? new Error('unauthenticated') : undefined));
  live.on('connection', (socket) => {
    heard.push('connect');
    socket.on('watch', (topic, ack) => {
      heard.push(`watch ${topic.kind}`);
      ack({ ok: true });
    });
    socket.on('unwatch', (topic) => heard.push(`unwatch ${topic.kind}`));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  connection.close();
  await hub.close();
});

function connect(): LiveConnection {
  const { port } = http.address() as AddressInfo;
  connection = new LiveConnection(
    io(`http://127.0.0.1:${port}/live`, { transports: ['websocket'], reconnectionDelay: 10, forceNew: true }),
    { refusedRetryMs: 20 },
  );
  return connection;
}
const waitFor = (condition: () => boolean) => expect.poll(condition, { timeout: 5_000, interval: 5 }).toBe(true);

describe('LiveConnection', () => {
  it('joins a room once for two watchers and leaves it with the last', async () => {
    const live = connect();
    const joined: string[] = [];
    const stopFirst = live.watch(RUN, { onJoined: () => joined.push('first') });
    const stopSecond = live.watch(RUN, { onJoined: () => joined.push('second') });
    await waitFor(() => joined.length === 2);
    expect(heard).toEqual(['connect', 'watch run']);
    stopFirst();
    stopSecond();
    await waitFor(() => heard.includes('unwatch run'));
    expect(heard.filter((said) => said.startsWith('unwatch'))).toHaveLength(1);
  });

  it('tells a late watcher of a joined room at once', async () => {
    const live = connect();
    let joined = 0;
    live.watch(RUN, { onJoined: () => joined++ });
    await waitFor(() => joined === 1);
    live.watch(RUN, { onJoined: () => joined++ });
    expect(joined).toBe(2);
  });

  it('says that events are being missed, and joins every room again after a reconnect', async () => {
    const live = connect();
    const told: string[] = [];
    live.watch(RUN, { onJoined: () => told.push('joined'), onLost: () => told.push('lost') });
    await waitFor(() => told.length === 1);
    for (const socket of await hub.of('/live').fetchSockets()) socket.disconnect(true);
    await waitFor(() => told.length === 3);
    expect(told).toEqual(['joined', 'lost', 'joined']);
    expect(heard).toEqual(['connect', 'watch run', 'connect', 'watch run']);
  });

  it('goes on trying slowly after a refusal, and shows it', async () => {
    isRefusing = true;
    const live = connect();
    await waitFor(() => live.getState() === 'refused');
    isRefusing = false;
    await waitFor(() => live.getState() === 'live');
  });

  it('shows its state and tells of changes', async () => {
    const live = connect();
    const states: string[] = [live.getState()];
    live.onState(() => states.push(live.getState()));
    await waitFor(() => states.includes('live'));
    for (const socket of await hub.of('/live').fetchSockets()) socket.disconnect(true);
    await waitFor(() => states.filter((state) => state === 'live').length === 2);
    expect(states).toEqual(['connecting', 'live', 'reconnecting', 'live']);
  });
});
