import type { IncomingMessage } from 'node:http';
import type { HubEnv } from '../env.ts';

/**
 * Whom limits on tries count by. The proxy's word is taken only from a proxy on this machine, and only when one
 * is announced by MEALTABLE_ORIGIN; of its list only the last address was seen by that proxy itself.
 */
export function clientAddress({ origin }: Pick<HubEnv, 'origin'>, { socket, headers }: IncomingMessage): string {
  const address = socket.remoteAddress ?? 'unknown';
  const isLocal = address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  return origin !== null && isLocal && forwarded ? forwarded : address;
}
