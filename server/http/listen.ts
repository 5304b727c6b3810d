/** The one port. It is taken first, so that a taken one is told before a database is started. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { StartupFault } from '../startup-fault.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** Answers until the gate stands. */
const sayStarting: RequestListener = (_req, res) => {
  setSecurityHeaders(res);
  res.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '1', Refresh: '1' });
  res.end('Mealtable is starting. This page comes back by itself in a moment.');
};

function explain(error: NodeJS.ErrnoException, host: string, port: number): StartupFault {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} is taken by another program. Stop it, or choose another port: PORT=${port + 1} npm start.`,
    EACCES: `Port ${port} may not be used without special rights. Choose one above 1023: PORT=3000 npm start.`,
    EADDRNOTAVAIL: `This machine has no address ${host}. Set HOST to one of its own, or to 127.0.0.1.`,
    ENOTFOUND: `There is no address ${host}. Set HOST to an address of this machine, or to 127.0.0.1.`,
  };
  return new StartupFault(sentences[error.code ?? ''] ?? `The hub cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
  });
}

export interface Listening {
  server: Server;
  port: number;
  /** Puts the gate in place of the notice. Attach sockets afterwards: socket.io takes its own requests out before. */
  open(gate: RequestListener): void;
  /** Takes no new request, lets those under way end, then cuts what is left. May be called again. */
  close(): Promise<void>;
}

/** How long requests under way may take to end. */
const DRAIN_MS = 3_000;

/** Node's own closeAllConnections() leaves out connections that became WebSockets, and close() waits for them. */
function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** @throws {StartupFault} one sentence: port taken, no right to it, no such address */
export async function listen(host: string, port: number): Promise<Listening> {
  const server = createServer(sayStarting);
  // A checkpoint of 20 GB takes longer than Node's five minutes; smaller bodies have a limit of their own.
  server.requestTimeout = 0;
  const sockets = trackSockets(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  const address = server.address();
  return {
    server,
    port: typeof address === 'object' && address ? address.port : port,
    open(gate) {
      server.removeListener('request', sayStarting);
      server.on('request', gate);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, DRAIN_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
