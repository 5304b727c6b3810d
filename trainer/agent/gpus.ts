/** The machine's GPUs, as nvidia-smi lists them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Gpu {
  index: number;
  name: string;
  memoryBytes: number;
  /** What CUDA_VISIBLE_DEVICES accepts for exactly this device, whatever order CUDA counts in. */
  uuid: string;
  /** Version of the driver; null where it is not known. */
  driver: string | null;
}

const QUERY = ['--query-gpu=index,uuid,name,memory.total,driver_version', '--format=csv,noheader,nounits'];
/** A driver that hangs must not hold up the agent's start. */
const TIMEOUT_MS = 10_000;

/**
 * GPUs that this process may use: none without nvidia-smi.
 * @param visible an inherited CUDA_VISIBLE_DEVICES (indices or UUIDs, as batch systems set it): only these, in its order
 */
export async function listGpus(
  visible: string | undefined,
  query: () => Promise<string> = () => runNvidiaSmi(QUERY),
): Promise<Gpu[]> {
  const all = parseGpus(await query());
  if (visible === undefined) return all;
  const wanted = visible.split(',').map((entry) => entry.trim());
  return wanted.flatMap((entry) => {
    const gpu = all.find((g) => String(g.index) === entry || (entry.startsWith('GPU-') && g.uuid.startsWith(entry)));
    // A slice of a GPU (MIG) has a UUID of its own that this list does not hold.
    return (
      gpu ?? (entry.startsWith('MIG-') ? { index: 0, name: entry, memoryBytes: 0, uuid: entry, driver: null } : [])
    );
  });
}

/** @param csv lines of index, uuid, name, memory in MiB, driver */
export function parseGpus(csv: string): Gpu[] {
  return csv
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .filter((fields) => fields.length === 5 && /^\d+$/.test(fields[0]!))
    .map(([index, uuid, name, mebibytes, driver]) => ({
      index: Number(index),
      uuid: uuid!,
      name: name!,
      // "[N/A]" on devices that share the machine's memory.
      memoryBytes: Number.isNaN(Number(mebibytes)) ? 0 : Number(mebibytes) * 2 ** 20,
      driver: driver!.startsWith('[') ? null : driver!,
    }));
}

/** What nvidia-smi prints; nothing where there is none. */
export async function runNvidiaSmi(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: TIMEOUT_MS });
    return stdout;
  } catch {
    // Not installed, no driver, or no answer: for training there is no GPU then.
    return '';
  }
}
