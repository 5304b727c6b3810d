/**
 * Which names the hub answers to, and which pages may talk to it. A foreign site cannot point its own name at this
 * machine and be taken for the hub (DNS rebinding), nor send a member's browser here with a request of its own.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import type { HubEnv } from '../env.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const WILDCARDS = ['0.0.0.0', '::'];

export interface AllowedHosts {
  /** @param host the Host header */
  allowsHost(host: string | undefined): boolean;
  /** Absent (not a browser), the hub's own origin under the name that it was asked by, or MEALTABLE_ORIGIN. */
  allowsOrigin(headers: IncomingHttpHeaders): boolean;
  /** True when the browser is on https: only through a proxy, whose address MEALTABLE_ORIGIN tells. */
  isSecure(headers: IncomingHttpHeaders): boolean;
}

/** "[::1]:3000" -> "[::1]"; null for anything that is no plain host with an optional port. */
function nameOf(host: string): string | null {
  return host.toLowerCase().match(/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/)?.[1] ?? null;
}

const asHost = (address: string) => (address.includes(':') ? `[${address.toLowerCase()}]` : address.toLowerCase());

/** Names of this machine on its networks: what people type when the hub listens everywhere. Asked anew, as networks change. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
  const name = hostname().toLowerCase();
  return [...addresses.map(asHost), name, `${name}.local`];
}

export function createAllowedHosts(env: Pick<HubEnv, 'host' | 'origin'>): AllowedHosts {
  const origin = env.origin === null ? null : new URL(env.origin);
  const always = new Set([...LOOPBACK, ...(origin ? [asHost(origin.hostname.replaceAll(/[[\]]/g, ''))] : [])]);
  const listensEverywhere = WILDCARDS.includes(env.host);
  if (!listensEverywhere) always.add(asHost(env.host));
  return {
    allowsHost(host) {
      const name = host === undefined ? null : nameOf(host);
      return name !== null && (always.has(name) || (listensEverywhere && ownNames().includes(name)));
    },
    allowsOrigin(headers) {
      if (headers.origin === undefined) return ['same-origin', 'none', undefined].includes(fetchSite(headers));
      return (
        headers.origin === origin?.origin || headers.origin.toLowerCase() === `http://${headers.host?.toLowerCase()}`
      );
    },
    isSecure(headers) {
      if (origin?.protocol !== 'https:') return false;
      return headers.host?.toLowerCase() === origin.host || headers['x-forwarded-proto'] === 'https';
    },
  };
}

/** What the browser says of the page that asks: also known for requests without an Origin. */
const fetchSite = (headers: IncomingHttpHeaders) => headers['sec-fetch-site'] as string | undefined;
