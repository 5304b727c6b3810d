/** Which network addresses a webhook may reach: public ones, unless its owner has allowed private ones for it. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

export interface Address {
  address: string;
  family: 4 | 6;
}
/** @returns every address of a name @throws when there is none */
export type Resolve = (hostname: string) => Promise<Address[]>;

/** By the machine's own rules, hosts file included, as every other connection. */
export const resolveBySystem: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true, verbatim: true })) as Address[];

/** IPv4 that is not of the public internet: the IANA special-purpose registry, multicast and what is reserved. */
const SPECIAL_V4: [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Parts of the global IPv6 range that are none: Teredo and its neighbours, documentation, 6to4 (which wraps IPv4). */
const SPECIAL_V6: [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [net, prefix] of SPECIAL_V4) special.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of SPECIAL_V6) special.addSubnet(net, prefix, 'ipv6');
const global = new BlockList();
// Everything else of IPv6 is loopback, link-local, unique local, multicast, or another address in disguise.
global.addSubnet('2000::', 3, 'ipv6');

/** @param address as a resolver or an address literal gives it, without brackets */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  return family === 6 && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** The sentence says what to do. */
export class AddressRefused extends Error {}

/**
 * @returns the addresses to connect to, and to none that was resolved later @throws {AddressRefused} when one of them is not
 * public and private ones are not allowed; whatever `resolve` throws
 */
export async function findAddresses(url: URL, allowsPrivate: boolean, resolve: Resolve): Promise<Address[]> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(hostname);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family: family as 4 | 6 }];
  const refused = allowsPrivate ? undefined : addresses.find(({ address }) => !isPublic(address));
  if (refused)
    throw new AddressRefused(
      `${hostname} is ${family === 0 ? `at ${refused.address}, ` : ''}an address of this machine or of a private network. Allow private addresses for this webhook if that is meant.`,
    );
  return addresses;
}
