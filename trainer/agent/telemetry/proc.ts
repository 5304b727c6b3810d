/** What Linux tells in /proc about the machine and its processes, read into numbers. Nothing here touches a file. */

/** Ticks since the boot, of all cores together. */
export interface CpuTicks {
  total: number;
  /** Without work, waiting for disks included. */
  idle: number;
}

/** @param stat /proc/stat @returns null when it has no line of all cores */
export function parseCpuTicks(stat: string): CpuTicks | null {
  const words = /^cpu +(.*)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number);
  if (!words || words.length < 4 || words.some(Number.isNaN)) return null;
  // The first eight are user, nice, system, idle, iowait, irq, softirq, steal; guests are within user and nice.
  const ticks = words.slice(0, 8);
  return { total: ticks.reduce((sum, n) => sum + n, 0), idle: ticks[3]! + (ticks[4] ?? 0) };
}

/** @param meminfo /proc/meminfo @returns bytes; null when a line is missing */
export function parseMemory(meminfo: string): { total: number; available: number } | null {
  const bytes = (name: string) => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  };
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')];
  return total === null || available === null ? null : { total, available };
}

/** Bytes in and out since the boot, by device. */
export type Traffic = Map<string, { in: number; out: number }>;

/** Whole disks: partitions, and what lies on other disks (dm, md, loop), would count twice. */
const WHOLE_DISK = /^([shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+|pmem\d+)$/;
/** The unit of this file, whatever the sectors of the disk are. */
const SECTOR_BYTES = 512;

/** @param diskstats /proc/diskstats @returns `in` is read, `out` written */
export function parseDisks(diskstats: string): Traffic {
  const disks: Traffic = new Map();
  for (const line of diskstats.split('\n')) {
    const [, , name, , , read, , , , written] = line.trim().split(/ +/);
    if (name && WHOLE_DISK.test(name) && written !== undefined)
      disks.set(name, { in: Number(read) * SECTOR_BYTES, out: Number(written) * SECTOR_BYTES });
  }
  return disks;
}

/** Devices whose traffic is none of the machine's with the world, or passes another device as well. */
const VIRTUAL_NETWORK = /^(lo|docker|veth|br-|virbr|bond|team|tun|tap|wg|cni|flannel|cali|dummy|ifb)|\./;

/** @param dev /proc/net/dev @returns `in` is received, `out` sent */
export function parseNetworks(dev: string): Traffic {
  const networks: Traffic = new Map();
  for (const line of dev.split('\n')) {
    const [, name, rest] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    const fields = rest?.trim().split(/\s+/).map(Number) ?? [];
    if (name && !VIRTUAL_NETWORK.test(name) && fields.length >= 9)
      networks.set(name, { in: fields[0]!, out: fields[8]! });
  }
  return networks;
}

export interface ProcessTicks {
  /** Number of its process group. */
  group: number;
  /** Of work since its start. */
  ticks: number;
}

/** @param stat /proc/PID/stat, whose second field is a name that may hold anything @returns null when cut short */
export function parseProcess(stat: string): ProcessTicks | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [group, user, system] = [fields[2], fields[11], fields[12]].map(Number);
  if (group === undefined || user === undefined || system === undefined) return null;
  return [group, user, system].some(Number.isNaN) ? null : { group, ticks: user + system };
}

/** @param status /proc/PID/status @returns bytes; 0 for a process that is ending and has none left */
export function parseResidentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Of a kernel's clock to programs: 100 on every machine that Node runs on. */
export const TICKS_PER_S = 100;

/**
 * Bytes per second between two looks, over the devices that both saw. One that was reset in between counts as silent.
 * @returns nulls where no device was seen twice
 */
export function ratesOf(before: Traffic, now: Traffic, seconds: number): { in: number | null; out: number | null } {
  const pairs = [...now].flatMap(([name, after]) => {
    const old = before.get(name);
    return old ? [{ in: Math.max(0, after.in - old.in), out: Math.max(0, after.out - old.out) }] : [];
  });
  if (pairs.length === 0 || seconds <= 0) return { in: null, out: null };
  const rate = (way: 'in' | 'out') => pairs.reduce((sum, pair) => sum + pair[way], 0) / seconds;
  return { in: rate('in'), out: rate('out') };
}
