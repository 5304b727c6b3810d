/** A TCP proxy before a hub: counts what clients send, and cuts every connection when so many bytes have passed. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  url: string;
  /** Bytes that came from clients, headers included. */
  readonly sentBytes: number;
  readonly cuts: number;
  /** As a pulled cable that both ends notice. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * @param hubUrl http://host:port
 * @param cutAt counts of bytes from clients, ascending, at each of which everything is cut
 */
export async function startCuttingProxy(hubUrl: string, cutAt: readonly number[] = []): Promise<CuttingProxy> {
  const { hostname, port } = new URL(hubUrl);
  const sockets = new Set<Socket>();
  const waiting = [...cutAt];
  let sentBytes = 0;
  let cuts = 0;
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  };
  const cut = () => {
    cuts++;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    track(client);
    track(upstream);
    client.on('data', (chunk) => {
      sentBytes += chunk.length;
      if (waiting[0] === undefined || sentBytes < waiting[0]) return;
      waiting.shift();
      cut();
    });
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get sentBytes() {
      return sentBytes;
    },
    get cuts() {
      return cuts;
    },
    cut,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
