import { networkInterfaces } from 'node:os';
import type { HubEnv } from './env.ts';

/** Address to print and to put into links: the announced one, or where the hub listens as others can reach it. */
export function baseUrlOf({ host, origin }: Pick<HubEnv, 'host' | 'origin'>, port: number): string {
  if (origin !== null) return origin;
  const name = host === '0.0.0.0' || host === '::' ? (networkAddress() ?? '127.0.0.1') : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** The address for programs on this machine. */
export function localUrlOf({ host }: Pick<HubEnv, 'host'>, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** An address that leads to the hub on its own machine alone. */
export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname);
}

function networkAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
