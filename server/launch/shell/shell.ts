/** Running scripts somewhere: on this machine or over ssh, with the same outcome. */
import { createHash } from 'node:crypto';
import type { LaunchFault } from '../launcher.ts';

export type ShellOutcome =
  /** The script ran to its end. */
  | { kind: 'done'; code: number; lines: string[] }
  /** Nobody knows what became of it: the connection failed or broke, or it took too long. */
  | { kind: 'lost'; fault: LaunchFault };

export interface ExecOptions {
  stdin?: string | Buffer;
  timeoutMs?: number;
  /** Each line of output as it comes. */
  onLine?: (line: string) => void;
}

export interface Shell {
  /** For people: "this machine", or the ssh destination. */
  place: string;
  /**
   * @param line sh on one line without single quotes or exclamation marks, since the login shell of the account, which may be any,
   * hands it to sh in single quotes
   */
  exec(line: string, options?: ExecOptions): Promise<ShellOutcome>;
  close(): Promise<void>;
}

export const SHELL_TIMEOUT_MS = 30_000;
/** Output beyond this is dropped from the front: a host must not fill the hub's memory. */
export const MAX_OUTPUT_BYTES = 4_000_000;

/** Printed last. Without it a script did not end, however ssh did: it exits with 255 both for a lost line and for a killed program. */
export const SENTINEL = 'printf "\\n@rc=%d\\n" $?';
const SENTINEL_LINE = /^@rc=(\d{1,3})$/;

/** @returns null when the sentinel is missing */
export function readOutcome(output: string): ShellOutcome | null {
  const lines = output.split('\n');
  const at = lines.findLastIndex((line) => SENTINEL_LINE.test(line));
  if (at < 0) return null;
  const kept = lines.slice(0, at);
  while (kept.at(-1) === '') kept.pop();
  return { kind: 'done', code: Number(SENTINEL_LINE.exec(lines[at]!)![1]), lines: kept };
}

/** Results among whatever else a script and the account's start-up files print: lines `@name=value`. */
export function readValues(lines: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const found = /^@([a-z]+)=(.*)$/.exec(line);
    if (found) values.set(found[1]!, [...(values.get(found[1]!) ?? []), found[2]!]);
  }
  return values;
}

/** A text as one word of sh. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A path of the settings' shapes (`~/…` or `/…`, no quotes in it) as one word of sh. */
export function quotePath(path: string): string {
  if (!/^(~\/|\/)[A-Za-z0-9._/@+-]*$/.test(path)) throw new Error(`"${path}" is no path that a script may hold.`);
  return path.startsWith('~/') ? `"$HOME/${path.slice(2)}"` : `"${path}"`;
}

/** Runs a script that its shell reads whole before the first command, so that no command can eat the rest of it. */
export function runScript(
  shell: Shell,
  script: string,
  options: Omit<ExecOptions, 'stdin'> = {},
): Promise<ShellOutcome> {
  return shell.exec('sh -s', { ...options, stdin: `main() {\n${script}\n}\nmain </dev/null\n` });
}

/**
 * Writes a file: under another name first, renamed once its hash is right, so that half of it never lies under its own name.
 * Only the account itself can read it.
 */
export function putFile(shell: Shell, path: string, content: Buffer, options: ExecOptions = {}): Promise<ShellOutcome> {
  const [file, folder] = [quotePath(path), quotePath(path.slice(0, path.lastIndexOf('/')))];
  const sha256 = createHash('sha256').update(content).digest('hex');
  const steps = [
    'umask 077',
    `mkdir -p ${folder}`,
    // Two uploads at once must not write into one file.
    `part=${file}.$$.part`,
    'cat > "$part"',
    '{ sha256sum "$part" 2>/dev/null || shasum -a 256 "$part"; } | { read -r sum rest',
    `[ "$sum" = ${sha256} ]; } || { rm -f "$part"; echo "The file did not arrive whole."; exit 65; }`,
    `mv "$part" ${file}`,
  ];
  const line = `( ${steps.slice(0, 4).join(' && ')} && ${steps[4]}; ${steps[5]} && ${steps[6]} )`;
  return shell.exec(line, { ...options, stdin: content });
}
