/** The agent's flags and variables: read once, in main.ts, and passed down. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HostLabels } from '@mealtable/protocol/host-labels';
import { RunId } from '@mealtable/protocol/ids';
import { DatasetName } from '@mealtable/protocol/run-config';
import { AGENT_EXIT, AgentExit } from './exit-codes.ts';

export interface AgentEnv {
  /** Origin of the hub, without a path. */
  hub: string;
  token: string;
  /** Absolute. */
  stateDir: string;
  /** Null: as many as the machine suggests. */
  slots: number | null;
  /** Null: the host name. */
  name: string | null;
  /** What this host offers to be chosen by. */
  hostLabels: string[];
  /** Image folders by dataset name, absolute. */
  datasets: Map<string, string>;
  datasetsDir: string | null;
  /** Folder of weights files, absolute; null: what MEALTABLE_WEIGHTS_DIR says. */
  weightsDir: string | null;
  orphanExitMs: number | null;
  /** Use GPUs on which other programs compute, too. */
  sharesGpus: boolean;
  /** The only run to ask for; the agent ends with it. Null: whatever the hub gives. */
  oneRun: string | null;
  /** The trainer's program file, absolute. */
  trainer: string;
}

export const USAGE = `Attaches this machine to a Mealtable hub and runs its training.

  --hub URL            address of the hub (or MEALTABLE_HUB)
  --token TOKEN        agent token from the hub's Hosts page (or MEALTABLE_TOKEN)
  --token-file FILE    file that holds the token
  --dir FOLDER         state folder (default ~/.mealtable/agent)
  --slots N            runs at a time (default: number of GPUs, else 2 at most)
  --name NAME          name shown for this host (default: host name)
  --label LABEL        what runs may ask their host to have, for example a100; repeatable
  --dataset NAME=PATH  folder with train/<class>/ and val/<class>/, ImageNet or tar shards; repeatable
  --datasets-dir PATH  folder in which every subfolder is a dataset
  --weights-dir PATH   folder of published weights (or MEALTABLE_WEIGHTS_DIR; default ~/.mealtable/weights)
  --share-gpus         start runs on GPUs that other programs use, too
  --orphan-exit-ms N   end after this time without a hub and without runs
  --one-run RUN        train this run alone, then end (what a batch job does)
  --trainer FILE       trainer program (default: trainer.js beside the agent)
  --help               this text`;

const OPTIONS = {
  hub: { type: 'string' },
  token: { type: 'string' },
  'token-file': { type: 'string' },
  dir: { type: 'string' },
  slots: { type: 'string' },
  name: { type: 'string' },
  label: { type: 'string', multiple: true },
  dataset: { type: 'string', multiple: true },
  'datasets-dir': { type: 'string' },
  'weights-dir': { type: 'string' },
  'share-gpus': { type: 'boolean' },
  'orphan-exit-ms': { type: 'string' },
  'one-run': { type: 'string' },
  trainer: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/**
 * @param args `process.argv` without program and script @param variables `process.env`
 * @param programDir folder of the agent's program file
 * @returns null when --help asks for the usage text
 * @throws {AgentExit} one sentence that names the flag, what it must be and what it was
 */
export function parseAgentEnv(
  args: string[],
  variables: Record<string, string | undefined>,
  programDir: string,
): AgentEnv | null {
  const flags = readFlags(args);
  if (flags.help) return null;
  return {
    hub: parseHub(flags.hub ?? variables.MEALTABLE_HUB),
    token: parseToken(flags.token, flags['token-file'], variables.MEALTABLE_TOKEN),
    stateDir: resolve(flags.dir ?? join(homedir(), '.mealtable', 'agent')),
    slots: parseSlots(flags.slots, flags['one-run']),
    name: flags.name === undefined ? null : parseName(flags.name),
    hostLabels: parseLabels(flags.label ?? []),
    datasets: parseDatasets(flags.dataset ?? []),
    datasetsDir: flags['datasets-dir'] === undefined ? null : folder('--datasets-dir', flags['datasets-dir']),
    weightsDir: flags['weights-dir'] === undefined ? null : folder('--weights-dir', flags['weights-dir']),
    orphanExitMs:
      flags['orphan-exit-ms'] === undefined
        ? null
        : wholeNumber('--orphan-exit-ms', flags['orphan-exit-ms'], 1, 2 ** 31 - 1),
    sharesGpus: flags['share-gpus'] ?? false,
    oneRun: flags['one-run'] === undefined ? null : parseRun(flags['one-run']),
    trainer: parseTrainer(flags.trainer ?? join(programDir, 'trainer.js')),
  };
}

const refuse = (message: string) => new AgentExit(AGENT_EXIT.badFlags, message);

function readFlags(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // parseArgs throws a TypeError whose first sentence names the flag.
    if (!(error instanceof TypeError)) throw error;
    throw refuse(`${error.message.split('. ')[0]}. Run with --help to see the flags.`);
  }
}

function parseHub(text: string | undefined): string {
  if (!text) throw refuse('Give the address of the hub, for example --hub http://127.0.0.1:3000.');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin;
  throw refuse(`--hub must be an address such as https://mealtable.example.org; it is "${text}".`);
}

function parseToken(flag: string | undefined, file: string | undefined, variable: string | undefined): string {
  if (flag !== undefined && file !== undefined) throw refuse('Give --token or --token-file, not both.');
  const token = (flag ?? (file === undefined ? variable : readToken(file)) ?? '').trim();
  if (token !== '') return token;
  if (file !== undefined) throw refuse(`--token-file ${file} is empty: put an agent token into it.`);
  throw refuse('Give an agent token (Hosts page of the hub) with --token, --token-file or MEALTABLE_TOKEN.');
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(`--token-file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw refuse(`${flag} must be a whole number from ${min} to ${max}; it is "${text}".`);
}

/** One run needs one slot, however many devices there are. */
function parseSlots(slots: string | undefined, oneRun: string | undefined): number | null {
  if (oneRun !== undefined) return 1;
  return slots === undefined ? null : wholeNumber('--slots', slots, 1, 64);
}

function parseRun(text: string): string {
  const run = RunId.safeParse(text);
  if (run.success) return run.data;
  throw refuse(`--one-run must be the id of a run (run_…); it is "${text}".`);
}

function parseName(text: string): string {
  const name = text.trim();
  if (name.length >= 1 && name.length <= 200) return name;
  throw refuse('--name must have 1 to 200 characters.');
}

function parseLabels(values: string[]): string[] {
  const labels = HostLabels.safeParse(values);
  if (labels.success) return labels.data;
  throw refuse(`--label: ${labels.error.issues[0]?.message} It is "${values.join('", "')}".`);
}

function parseDatasets(values: string[]): Map<string, string> {
  const datasets = new Map<string, string>();
  for (const value of values) {
    const [name = '', path = ''] = splitOnce(value, '=');
    if (path === '') throw refuse(`--dataset must be NAME=PATH; it is "${value}".`);
    const problem = DatasetName.safeParse(name).error?.issues[0]?.message;
    if (problem) throw refuse(`--dataset ${value}: ${problem}`);
    if (datasets.has(name)) throw refuse(`--dataset ${name} is given twice: give every dataset a name of its own.`);
    datasets.set(name, folder(`--dataset ${name}`, path));
  }
  return datasets;
}

function splitOnce(text: string, separator: string): [string, string] | [string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function folder(flag: string, path: string): string {
  const full = resolve(path);
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) return full;
  throw refuse(`${flag}: there is no folder ${full}.`);
}

function parseTrainer(path: string): string {
  const full = resolve(path);
  if (existsSync(full)) return full;
  throw refuse(`There is no trainer program at ${full}: build the project, or name the file with --trainer.`);
}
