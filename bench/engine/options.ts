/** The command line of the engine's benchmark. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { type Case, QUICK_CASE, selectCases } from './cases.ts';
import { CONTENDERS, type Contender } from './contenders.ts';

export const USAGE = `npm run bench:engine -- [options]

  --quick            one case (${QUICK_CASE}) and 3 rounds
  --cases A,B        cases whose names contain A or B; all without it
  --only A,B         contenders: ${CONTENDERS.map(({ id }) => id).join(', ')}
  --rounds N         rounds of each case (5)
  --seconds S        length of a contender's turn (4)
  --threads N        threads of every contender (one per core)
  --batch N          images per step instead of each case's own number
  --python PATH      Python with torch, timm, tensorflow and safetensors (MEALTABLE_TORCH, else python3)
  --write FILE       puts the table between the marks of this Markdown file
`;

export interface Options {
  cases: Case[];
  contenders: Contender[];
  rounds: number;
  turnSeconds: number;
  threads: number;
  python: string;
  write: string | null;
}

/** Null when help was asked for. Throws one Error for what cannot be understood. */
export function parseOptions(args: string[], env: { MEALTABLE_TORCH?: string | undefined }): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean', default: false },
      cases: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      threads: { type: 'string' },
      batch: { type: 'string' },
      python: { type: 'string' },
      write: { type: 'string' },
    },
  });
  if (values.help) return null;
  const batch = values.batch === undefined ? null : positive('batch', values.batch, true);
  const cases = selectCases(list(values.cases) ?? (values.quick ? [QUICK_CASE] : []));
  // MEALTABLE_TORCH=1 is how the parity tests are asked to install PyTorch themselves; only a path is of use here.
  const named = env.MEALTABLE_TORCH?.includes('/') ? env.MEALTABLE_TORCH : undefined;
  return {
    cases: cases.map((measured) => ({ ...measured, batch: batch ?? measured.batch })),
    contenders: selectContenders(list(values.only)),
    rounds: positive('rounds', values.rounds ?? (values.quick ? '3' : '5'), true),
    turnSeconds: positive('seconds', values.seconds ?? '4', false),
    threads: positive('threads', values.threads ?? String(os.availableParallelism()), true),
    python: values.python ?? named ?? 'python3',
    write: values.write ?? null,
  };
}

function list(text: string | undefined): string[] | null {
  return text === undefined ? null : text.split(',').map((part) => part.trim());
}

function selectContenders(ids: string[] | null): Contender[] {
  for (const id of ids ?? []) {
    if (!CONTENDERS.some((contender) => contender.id === id)) {
      throw new Error(`There is no contender "${id}", only ${CONTENDERS.map((contender) => contender.id).join(', ')}.`);
    }
  }
  return CONTENDERS.filter(({ id }) => ids === null || ids.includes(id));
}

function positive(name: string, text: string, whole: boolean): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    throw new Error(`--${name} wants a ${whole ? 'whole ' : ''}number above 0, not "${text}".`);
  }
  return value;
}
