/** Asking Slurm which of our jobs it has, by its commands with formats of ours: their default ones change from site to site. */
import { type LaunchFault, type LaunchToken, launchToken } from '../launcher.ts';
import { quote, readValues, runScript, type Shell, type ShellOutcome } from '../shell/shell.ts';
import type { SlurmJobRecord } from './states.ts';

/** A controller that is down keeps its commands waiting for many seconds. */
export const SLURM_TIMEOUT_S = 25;
export const SLURM_SCRIPT_TIMEOUT_MS = 90_000;

/** Variables of somebody's profile would change what the commands show and what a script asks for. */
export const CLEAN_ENVIRONMENT = `unset $(env | sed -n 's/^\\(\\(SBATCH\\|SQUEUE\\|SACCT\\|SCANCEL\\|SCONTROL\\)_[A-Z_]*\\)=.*/\\1/p') SLURM_JWT
ask() { timeout ${SLURM_TIMEOUT_S} "$@"; }`;

export type JobsByToken = Map<LaunchToken, SlurmJobRecord[]>;

/** All jobs of ours that the controller remembers: those that live, and those that ended a few minutes ago. */
export async function queryQueue(shell: Shell, group: string): Promise<{ jobs: JobsByToken } | { fault: LaunchFault }> {
  const outcome = await runScript(
    shell,
    `${CLEAN_ENVIRONMENT}
out=$(ask squeue -h -r -t all -u "$(id -un)" -o '%i|%T|%r|%N|%j|%k' 2>&1); code=$?
echo "$out" | sed 's/^/@job=/'
exit $code`,
    { timeoutMs: SLURM_SCRIPT_TIMEOUT_MS },
  );
  const fault = faultOf(shell, 'squeue', outcome);
  if (fault) return { fault };
  const jobs: JobsByToken = new Map();
  for (const line of readValues((outcome as { lines: string[] }).lines).get('job') ?? []) {
    const [jobId = '', state = '', reason = '', node = '', name = '', ...comment] = line.split('|');
    const token = tokenOf(group, name) ?? tokenOf(group, comment.join('|'));
    if (token !== null && /^\d+/.test(jobId))
      add(jobs, token, {
        jobId,
        state: firstWord(state),
        reason: textOf(reason),
        node: textOf(node),
        exitCode: null,
        restarts: 0,
      });
  }
  return { jobs };
}

/**
 * Jobs that squeue shows as ended or not at all: the controller's own record has their exit code, and the accounting, where a site
 * has one, remembers them for long. Neither need know them, which is no fault.
 */
export async function queryEnded(
  shell: Shell,
  group: string,
  jobIds: readonly string[],
  tokens: readonly LaunchToken[],
): Promise<JobsByToken> {
  const jobs: JobsByToken = new Map();
  const names = tokens.map((token) => `${group}.${token}`).join(',');
  const outcome = await runScript(
    shell,
    `${CLEAN_ENVIRONMENT}
for id in ${jobIds.map(quote).join(' ')}; do
  ask scontrol show job -o "$id" 2>/dev/null | sed 's/^/@record=/'
done
${
  names === ''
    ? ''
    : `command -v sacct >/dev/null && ask sacct -n -P -X -u "$(id -un)" -S now-30days --name=${quote(names)} \\
  --format=JobIDRaw,State,ExitCode,NodeList,JobName 2>/dev/null | sed 's/^/@account=/'`
}
true`,
    { timeoutMs: SLURM_SCRIPT_TIMEOUT_MS },
  );
  if (outcome.kind === 'lost') return jobs;
  const values = readValues(outcome.lines);
  for (const line of values.get('account') ?? []) {
    const [jobId = '', state = '', exitCode = '', node = '', name = ''] = line.split('|');
    const token = tokenOf(group, name);
    if (token !== null)
      add(jobs, token, { jobId, state: firstWord(state), reason: null, node: textOf(node), exitCode, restarts: 0 });
  }
  for (const line of values.get('record') ?? []) {
    // The job's own texts (command, comment) come after these fields or hold none of their names.
    const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? '';
    const token = tokenOf(group, field('JobName'));
    if (token !== null)
      add(jobs, token, {
        jobId: field('JobId'),
        state: firstWord(field('JobState')),
        reason: textOf(field('Reason')),
        node: textOf(field('NodeList')),
        exitCode: field('ExitCode'),
        restarts: Number(field('Restarts')) || 0,
      });
  }
  return jobs;
}

/** Null when the command answered. A controller that does not is no reason to call anything failed. */
export function faultOf(shell: Shell, command: string, outcome: ShellOutcome): LaunchFault | null {
  if (outcome.kind === 'lost') return outcome.fault;
  if (outcome.code === 0) return null;
  const said = outcome.lines
    .map((line) => line.replace(/^@[a-z]+=/, ''))
    .join(' ')
    .trim()
    .slice(0, 500);
  if (outcome.code === 127)
    return {
      code: 'refused',
      message: `There is no ${command} on ${shell.place}: name a host that Slurm's commands work on.`,
    };
  const why = outcome.code === 124 ? `no answer within ${SLURM_TIMEOUT_S} s` : said || `exit code ${outcome.code}`;
  return { code: 'unreachable', message: `Slurm's controller cannot be asked on ${shell.place} (${why}).` };
}

function tokenOf(group: string, name: string): LaunchToken | null {
  if (!name.startsWith(`${group}.`)) return null;
  const id = name.slice(group.length + 1);
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(id) ? launchToken(id) : null;
}

function add(jobs: JobsByToken, token: LaunchToken, job: SlurmJobRecord): void {
  jobs.set(token, [...(jobs.get(token) ?? []), job]);
}

const firstWord = (state: string) => state.split(/[ +]/, 1)[0]!;
const textOf = (text: string) => (['', 'None', '(null)', 'None assigned', 'n/a'].includes(text) ? null : text);
