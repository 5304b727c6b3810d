/** A database that goes away at the worst moment is an answer to a query, and never the end of the hub. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { openDatabase } from '../../server/db.ts';

/** A message of Postgres's protocol: its kind, its length and what it says. */
function message(kind: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

test('a connection that is lost in the moment in which it is given out', async () => {
  const welcome = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const goodbye = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));
  // Together, so that nobody has a turn in between.
  const server = createServer((socket) => socket.once('data', () => socket.end(Buffer.concat([...welcome, goodbye]))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { pool, close } = openDatabase(`postgresql://somebody@127.0.0.1:${port}/nothing`);
  const client = await pool.connect();
  await expect(client.query('SELECT 1')).rejects.toThrow();
  client.release(true);
  await close();
  await new Promise((resolve) => server.close(resolve));
});
