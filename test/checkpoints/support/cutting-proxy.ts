/** A TCP proxy before a hub: counts what clients send, and cuts every connection when so many bytes have passed. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  url: string;
  /** Bytes that came from clients, headers included. */
  readonly sentBytes: number;
  readonly cuts: number;
  /** Bytes of bodies that a PATCH sent although an earlier one had sent them, one number for each time that it happened. */
  readonly resentBytes: readonly number[];
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
  let highest = 0;
  let address = '';
  const resentBytes: number[] = [];
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
    let position: number | null = null;
    client.on('data', (chunk) => {
      sentBytes += chunk.length;
      const part = readPatchHead(chunk);
      if (part) {
        if (part.address !== address) highest = 0;
        address = part.address;
        if (part.offset < highest) resentBytes.push(highest - part.offset);
        position = part.offset + part.bodyBytes;
      } else if (position !== null) position += chunk.length;
      highest = Math.max(highest, position ?? 0);
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
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${bound.port}`,
    get sentBytes() {
      return sentBytes;
    },
    get cuts() {
      return cuts;
    },
    resentBytes,
    cut,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client waits for the answer to a part before it sends the next, so the head of a request begins a chunk. */
function readPatchHead(chunk: Buffer): { address: string; offset: number; bodyBytes: number } | null {
  if (chunk.toString('latin1', 0, 6) !== 'PATCH ') return null;
  const end = chunk.indexOf('\r\n\r\n');
  const head = chunk.toString('latin1', 0, Math.max(0, end));
  const [, address = ''] = head.split(' ', 2);
  const offset = head.match(/\r\nupload-offset: (\d+)/i)?.[1];
  return offset === undefined ? null : { address, offset: Number(offset), bodyBytes: chunk.length - end - 4 };
}
