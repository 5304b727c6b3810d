/** The batch script of one run. Pure: a dry run shows what is submitted, to the letter. It holds no secret. */
import type { SlurmLauncherSettings } from '@mealtable/protocol/launchers';
import { agentArguments } from '../agent-scripts.ts';
import type { LaunchSpec, LaunchToken } from '../launcher.ts';
import type { Installation } from '../package/install.ts';
import { quote } from '../shell/shell.ts';

/** Our jobs among all jobs of the account: by name and, should a site change names, by comment. */
export const jobName = (group: string, token: LaunchToken): string => `${group}.${token}`;

/** Absolute: sbatch knows no ~ in its own lines. */
export function jobFolder(installed: Installation, token: LaunchToken): string {
  return `${installed.root}/jobs/${token}`;
}

/**
 * The shell is replaced by the agent (`exec`), so that a signal to the batch script reaches it: USR2 before the time limit and TERM
 * when the job is cancelled or has to make room. USR1 is not used because Node opens its debugger on it.
 */
export function batchScript(
  spec: LaunchSpec,
  token: LaunchToken,
  group: string,
  settings: SlurmLauncherSettings,
  installed: Installation,
): string {
  const { batch, datasetsDir, weightsDir, installFolder } = settings;
  const folder = jobFolder(installed, token);
  const name = jobName(group, token);
  const options = [
    `--job-name=${name}`,
    `--comment=${name}`,
    `--output=${folder}/output.log`,
    '--open-mode=append',
    batch.requeue ? '--requeue' : '--no-requeue',
    `--signal=B:USR2@${batch.signalLeadSeconds}`,
    '--nodes=1',
    '--ntasks=1',
    ...(batch.partition === undefined ? [] : [`--partition=${batch.partition}`]),
    ...(batch.account === undefined ? [] : [`--account=${batch.account}`]),
    ...(batch.qos === undefined ? [] : [`--qos=${batch.qos}`]),
    ...(batch.timeLimit === undefined ? [] : [`--time=${batch.timeLimit}`]),
    ...(batch.gres === undefined ? [] : [`--gres=${batch.gres}`]),
    ...(batch.cpus === undefined ? [] : [`--cpus-per-task=${batch.cpus}`]),
    ...(batch.memory === undefined ? [] : [`--mem=${batch.memory}`]),
    ...batch.extraLines,
  ];
  const flags = agentArguments(spec, { installFolder, slots: 1, datasetsDir, weightsDir }, '"$folder"', '"$state"');
  return `#!/bin/sh
${options.map((option) => `#SBATCH ${option}`).join('\n')}
umask 077
folder=${quote(folder)}
# A folder for each node: after a node was lost, its agent may still be writing.
state="$folder/state-\${SLURMD_NODENAME:-$(uname -n)}"
exec ${quote(installed.node)} ${quote(installed.program)} ${flags.join(' ')}
`;
}
