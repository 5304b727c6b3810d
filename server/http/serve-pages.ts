/** Hands a request to Next, with a policy and a nonce of its own for the scripts of that page. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_DIR } from '../project-dir.ts';
import { StartupFault } from '../startup-fault.ts';
import type { Listening } from './listen.ts';
import { refuse } from './refuse.ts';
import type { ServePage } from './routes.ts';
import { pagePolicy } from './security-headers.ts';

export type PageMode = 'production' | 'development' | 'none';

/**
 * Starts Next. It renders pages only; everything else is answered before it.
 * @param listening Next's development client gets its updates through the server, at this host only
 */
export async function preparePages(
  mode: PageMode,
  { server, port }: Listening,
  host: string,
): Promise<{ servePage: ServePage; close(): Promise<void> }> {
  if (mode === 'none') return { servePage: servesNone, close: async () => {} };
  const dev = mode === 'development';
  if (!dev && !existsSync(path.join(PROJECT_DIR, '.next', 'BUILD_ID')))
    throw new StartupFault('The pages are not built yet. Run: npm run build');
  const { default: next } = await import('next');
  const app = next({ dev, dir: PROJECT_DIR, ...(dev ? { httpServer: server, hostname: host, port } : {}) });
  await app.prepare();
  const handle = app.getRequestHandler();
  return {
    async servePage({ req, res, url, secure }) {
      const nonce = randomBytes(16).toString('base64');
      const policy = pagePolicy(nonce, url.host, secure, dev);
      // Next reads the nonce for its own scripts from the request's policy; the layout reads it for the rest.
      req.headers['content-security-policy'] = policy;
      req.headers['x-nonce'] = nonce;
      res.setHeader('Content-Security-Policy', policy);
      await handle(req, res);
    },
    close: () => app.close(),
  };
}

const servesNone: ServePage = async ({ res, url }) =>
  refuse(res, url.pathname, { code: 'not_found', message: 'This hub was started without pages.' });
