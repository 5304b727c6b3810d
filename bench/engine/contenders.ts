/** Who is measured, what each needs, and how its process is started. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Case, STUDENTS } from './cases.ts';
import type { Job } from './job.ts';

const execute = promisify(execFile);
const HERE = import.meta.dirname;

export type ContenderId = 'tfjs' | 'eager' | 'captured' | 'keras' | 'tf-function' | 'torch';

export interface Contender {
  id: ContenderId;
  title: string;
  /** Python packages as pip names them; null where Node runs it. */
  packages: readonly string[] | null;
  program: string;
  /** Why it cannot run this case, or null. */
  refuses(measured: Case): string | null;
}

const node = { packages: null, program: path.join(HERE, 'tfjs-contender.ts'), refuses: () => null };
const keras = {
  packages: ['tensorflow', 'safetensors'],
  program: path.join(HERE, 'peers', 'tensorflow_peer.py'),
  refuses: ({ network }: Case) =>
    STUDENTS.some((student) => student === network) ? null : `Keras is compared on the students only, not ${network}`,
};

/** In the order in which they take turns. */
export const CONTENDERS: readonly Contender[] = [
  { id: 'tfjs', title: 'tfjs-node as shipped', ...node },
  { id: 'eager', title: 'Mealtable, eager', ...node },
  { id: 'captured', title: 'Mealtable, captured', ...node },
  { id: 'keras', title: 'TensorFlow `tf.function`, Keras layers', ...keras },
  { id: 'tf-function', title: 'TensorFlow `tf.function`, fused batch norm', ...keras },
  {
    id: 'torch',
    title: 'PyTorch `channels_last`',
    packages: ['torch', 'timm', 'safetensors'],
    program: path.join(HERE, 'peers', 'torch_peer.py'),
    refuses: () => null,
  },
];

/** What the ratios are about: the best of ours that was measured. */
export const SUBJECTS: readonly ContenderId[] = ['captured', 'eager', 'tfjs'];

/** Command line of a contender's process. */
export function commandOf(contender: Contender, python: string, job: Job): { file: string; args: string[] } {
  if (contender.packages !== null) return { file: python, args: ['-B', contender.program, JSON.stringify(job)] };
  return { file: process.execPath, args: ['--import', 'tsx', contender.program, JSON.stringify(job)] };
}

/**
 * The contenders of `wanted` that this machine can run, and for the others one sentence that says what is missing and which
 * command would give it. `python` is asked for its packages once.
 */
export async function findContenders(
  wanted: readonly Contender[],
  python: string,
): Promise<{ available: Contender[]; leftOut: { id: ContenderId; reason: string }[] }> {
  const packages = [...new Set(wanted.flatMap((contender) => contender.packages ?? []))];
  const missing = packages.length === 0 ? [] : await missingPackages(python, packages);
  const available: Contender[] = [];
  const leftOut: { id: ContenderId; reason: string }[] = [];
  for (const contender of wanted) {
    const absent = contender.packages?.filter((name) => missing === null || missing.includes(name)) ?? [];
    if (absent.length === 0) available.push(contender);
    else if (missing === null) leftOut.push({ id: contender.id, reason: `${python} does not run` });
    else {
      const reason = `${python} lacks ${absent.join(', ')}; to get it: ${python} -m pip install ${contender.packages!.join(' ')}`;
      leftOut.push({ id: contender.id, reason });
    }
  }
  return { available, leftOut };
}

/** Null where there is no such Python. Looks packages up without importing them, which would take seconds. */
async function missingPackages(python: string, packages: readonly string[]): Promise<string[] | null> {
  const program =
    'import importlib.util, json, sys; print(json.dumps([p for p in sys.argv[1:] if not importlib.util.find_spec(p)]))';
  try {
    const { stdout } = await execute(python, ['-c', program, ...packages]);
    return JSON.parse(stdout) as string[];
  } catch (error) {
    // ENOENT, or a Python that is too old or broken: either way it measures nothing.
    if (error instanceof Error) return null;
    throw error;
  }
}
