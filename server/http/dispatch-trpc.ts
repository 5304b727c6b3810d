import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { appRouter } from '../api/root.ts';
import type { ApiContext } from '../context.ts';
import type { Exchange } from './exchange.ts';
import { sendResponse, toRequest } from './fetch-bridge.ts';

/** A design of 500 listed runs is about 100 kB. */
const MAX_BODY_BYTES = 1_000_000;
/** Calls that a page may gather into one request. */
const MAX_BATCH_SIZE = 30;

export async function dispatchTrpc(exchange: Exchange): Promise<void> {
  const { hub, res, member, visitor } = exchange;
  const response = await fetchRequestHandler({
    endpoint: '/api/trpc',
    router: appRouter,
    req: await toRequest(exchange, MAX_BODY_BYTES),
    createContext: (): ApiContext => ({ ...hub, member, visitor }),
    allowBatching: true,
    // A query with a whole design in it does not fit into an address.
    allowMethodOverride: true,
    maxBatchSize: MAX_BATCH_SIZE,
    onError({ error, path }) {
      if (error.code === 'INTERNAL_SERVER_ERROR') console.error(`${path} failed:`, error.cause ?? error);
    },
  });
  await sendResponse(res, response);
}
