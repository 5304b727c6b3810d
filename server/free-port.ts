import { createServer } from 'node:net';

/** @returns a port on 127.0.0.1 that is free now: the wanted one if it is, otherwise any. */
export async function findFreePort(wanted?: number): Promise<number> {
  return (wanted !== undefined && (await tryPort(wanted))) || ((await tryPort(0)) as number);
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(null) : reject(error),
    );
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
