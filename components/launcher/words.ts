/** What launchers, their steps and their jobs are called on the page. */
import type { LauncherTask, LauncherView, SlurmJobView } from '@mealtable/protocol/launcher-views';
import type { Tone } from '../ui/badge';

export const KIND_WORDS: Record<LauncherView['kind'], string> = {
  local: 'This machine',
  ssh: 'Over SSH',
  slurm: 'Slurm cluster',
};
export const TASK_WORDS: Record<LauncherTask, string> = {
  launching: 'Launching',
  stopping: 'Stopping',
  removing: 'Removing',
};
const STEP_WORDS: Record<string, string> = {
  launch: 'Launch',
  connect: 'Connect',
  host_key: 'Host key',
  node_version: 'Find Node',
  upload: 'Send the programs',
  install: 'Install dependencies',
  tensorflow: 'Set TensorFlow up',
  start: 'Start the agent',
  attached: 'Agent attaches',
  submit: 'Submit the job',
  stop: 'Stop',
  job: 'Job',
};
export const stepWord = (step: string): string => STEP_WORDS[step] ?? step;

export const JOB_WORDS: Record<SlurmJobView['state'], string> = {
  submitting: 'Being submitted',
  waiting: 'Waiting',
  running: 'Running',
  unknown: 'Unknown',
  ended: 'Ended',
};
const CAUSE_WORDS: Record<string, string> = {
  exit: 'Ended',
  cancelled: 'Cancelled',
  time_limit: 'Time limit',
  out_of_memory: 'Out of memory',
  node_failed: 'Node lost',
  preempted: 'Preempted',
  untold: 'Ended, untold how',
  refused: 'Refused by Slurm',
};

/** "Ended (code 75)", "Cancelled", "Waiting". */
export function describeJob({ state, endCause, exitCode, signal }: SlurmJobView): string {
  if (state !== 'ended' || endCause === null) return JOB_WORDS[state];
  const word = CAUSE_WORDS[endCause] ?? endCause;
  if (endCause !== 'exit') return word;
  return signal !== null ? `${word} (signal ${signal})` : exitCode === null ? word : `${word} (code ${exitCode})`;
}

export interface LauncherLook {
  word: string;
  tone: Tone;
}
/** The one state that counts most for whoever looks. */
export function launcherLook({ task, fault, rest, kind, agent, hosts, jobs }: LauncherView): LauncherLook {
  if (task !== null) return { word: TASK_WORDS[task], tone: 'accent' };
  if (rest !== null) return { word: 'Resting', tone: 'warn' };
  if (fault !== null) return { word: 'Needs attention', tone: 'bad' };
  if (kind === 'slurm')
    return jobs.running + jobs.waiting > 0 ? { word: 'At work', tone: 'good' } : { word: 'Ready', tone: 'neutral' };
  if (hosts.some(({ isOnline }) => isOnline)) return { word: 'Running', tone: 'good' };
  if (agent === null) return { word: 'Not launched', tone: 'neutral' };
  if (agent.state === 'running') return { word: 'Runs, not attached', tone: 'warn' };
  return agent.state === 'ended' ? { word: 'Stopped', tone: 'neutral' } : { word: 'Unknown', tone: 'warn' };
}
