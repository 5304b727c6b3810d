/** How much memory there is, and how much this process has taken at most. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listGpus } from '../agent/gpus.ts';

/** A driver that hangs must not hold up a run. */
const TIMEOUT_MS = 10_000;
const MEGABYTE = 1e6;

/**
 * Bytes that this process can still take without swapping or being killed: what Linux calls available, or what is left of
 * the tightest control group around the process. Files that the kernel keeps cached count as free, since it drops them when
 * memory is wanted. Null where that cannot be known (other systems).
 * @param root for tests: the folder that holds proc/ and sys/
 */
export function availableBytes(root = '/'): number | null {
  const meminfo = readText(join(root, 'proc/meminfo'));
  const kibibytes = meminfo === null ? null : /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  const host = kibibytes === null ? null : Number(kibibytes[1]) * 1024;
  const all = [host, ...groupsOf(root).map(leftInGroup)].filter((bytes) => bytes !== null);
  return all.length === 0 ? null : Math.min(...all);
}

/** Folders of the process's control group and those around it, of version 2 or of version 1's memory controller. */
function groupsOf(root: string): string[] {
  const folders: string[] = [];
  for (const line of (readText(join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const [, controllers, path] = line.split(':');
    if (path === undefined || (controllers !== '' && controllers !== 'memory')) continue;
    const base = join(root, 'sys/fs/cgroup', controllers!);
    const parts = path.split('/').filter(Boolean);
    for (let depth = parts.length; depth >= 0; depth--) folders.push(join(base, ...parts.slice(0, depth)));
  }
  return folders;
}

function leftInGroup(folder: string): number | null {
  const read = (...names: string[]) => names.map((name) => readText(join(folder, name))).find((text) => text !== null);
  const limit = Number(read('memory.max', 'memory.limit_in_bytes') ?? 'none');
  const used = Number(read('memory.current', 'memory.usage_in_bytes') ?? 'none');
  // "max" is no number; version 1 writes almost 2^63 for no limit, which the host's own memory undercuts.
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return null;
  const stat = read('memory.stat') ?? '';
  const cached = [...stat.matchAll(/^(?:total_)?(?:in)?active_file (\d+)$/gm)];
  // Version 1 lists the group alone and then, as total_, with those below it.
  const totals = cached.filter(([line]) => line.startsWith('total_'));
  const files = (totals.length > 0 ? totals : cached).reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return Math.max(0, limit - used + files);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Metrics of the most that this process has taken: `memory/peak_mb` of the host's memory and, on a GPU whose driver tells,
 * `memory/device_mb` of the device's. In millions of bytes.
 */
export async function peakMemory(device: 'cpu' | 'gpu', query = queryComputeApps): Promise<Record<string, number>> {
  const peak = (process.resourceUsage().maxRSS * 1024) / MEGABYTE;
  const used = device === 'gpu' ? usedBy(process.pid, await query()) : null;
  return { 'memory/peak_mb': peak, ...(used === null ? {} : { 'memory/device_mb': used / MEGABYTE }) };
}

/** @param csv lines of process id and MiB, one for each device. Inside containers the driver may not know our ids. */
function usedBy(pid: number, csv: string): number | null {
  const ours = csv
    .split('\n')
    .map((line) => line.split(',').map((field) => Number(field.trim())))
    .filter(([id, mebibytes]) => id === pid && Number.isFinite(mebibytes));
  return ours.length === 0 ? null : ours.reduce((sum, [, mebibytes]) => sum + mebibytes! * 2 ** 20, 0);
}

async function queryComputeApps(): Promise<string> {
  const args = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  try {
    return (await promisify(execFile)('nvidia-smi', args, { timeout: TIMEOUT_MS })).stdout;
  } catch {
    return '';
  }
}

/** What a batch did not fit into, e.g. "the 84.9 GB of this NVIDIA H100". */
export async function describeMemory(device: 'cpu' | 'gpu'): Promise<string> {
  if (device === 'cpu') return "this host's memory";
  const [gpu] = await listGpus(process.env.CUDA_VISIBLE_DEVICES);
  return gpu && gpu.memoryBytes > 0
    ? `the ${(gpu.memoryBytes / 1e9).toFixed(1)} GB of this ${gpu.name}`
    : "the GPU's memory";
}
