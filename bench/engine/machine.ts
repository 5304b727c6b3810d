/** The machine that the figures belong to, and whether anybody else was using it. */
import { readFileSync } from 'node:fs';
import os from 'node:os';

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  system: string;
  node: string;
}

export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
  };
}

/** Mean number of processes that wanted a core during the last minute. */
export function loadAverage(): number {
  return os.loadavg()[0]!;
}

/** A load before the start above this means that something else is running. */
const IDLE_LOAD = 0.3;
/** Share of all cores that others may take before a ratio is no longer worth much. */
const IDLE_SHARE = 0.03;

/** Core time in clock ticks, of everybody, since the machine started. */
export interface CpuTicks {
  busy: number;
  total: number;
}

/** Null where the system does not count (not Linux). Time that a hypervisor gave to others counts as busy. */
export function readCpuTicks(): CpuTicks | null {
  try {
    const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
    const total = fields.reduce((sum, ticks) => sum + ticks, 0);
    return { busy: total - fields[3]! - fields[4]!, total };
  } catch {
    return null;
  }
}

/** Share of all cores, from 0 to 1, that went to processes other than ours, which used `ownTicks` in the meantime. */
export function foreignShare(before: CpuTicks, after: CpuTicks, ownTicks: number): number {
  const foreign = after.busy - before.busy - ownTicks;
  return Math.max(0, foreign) / Math.max(1, after.total - before.total);
}

/** The sentence that must stand beside figures from a machine that was not idle, or null. */
export function warnAboutLoad(loadBefore: number, foreign: number | null): string | null {
  const reasons = [
    ...(loadBefore > IDLE_LOAD ? [`the load average was ${loadBefore.toFixed(2)} before the start`] : []),
    ...((foreign ?? 0) > IDLE_SHARE ? [`other processes took ${(foreign! * 100).toFixed(0)}% of the cores`] : []),
  ];
  if (reasons.length === 0) return null;
  return `The machine was not idle: ${reasons.join(', and ')}. Under load PyTorch loses most, so these ratios flatter Mealtable.`;
}
