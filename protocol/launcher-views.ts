/** What the API shows of launchers. Times are milliseconds since 1970. */
import type { LauncherKind, LauncherSettings } from './launchers.ts';

/** What is being done with a launcher at this moment. */
export const LAUNCHER_TASKS = ['launching', 'stopping', 'removing'] as const;
export type LauncherTask = (typeof LAUNCHER_TASKS)[number];

export interface LauncherFaultView {
  /** LaunchFaultCode of the launchers; `bug` for a fault of the hub's own. */
  code: string;
  /** A sentence that says what to do. */
  message: string;
}
export interface LauncherView {
  id: string;
  kind: LauncherKind;
  name: string;
  settings: LauncherSettings;
  /** Only the hub's config file changes it. */
  fromConfig: boolean;
  createdAt: number;
  task: LauncherTask | null;
  /** Of the last launch, or of the last look where the place could not be asked. */
  fault: LauncherFaultView | null;
  /** SHA256:… of the accepted key; null without ssh or before a key was accepted. */
  hostKeyFingerprint: string | null;
  /** Address that its hosts reach the hub by, and whether that leads to the hub on the hub's own machine alone. */
  hubUrl: string;
  isLoopback: boolean;
  /** An agent that stays, as last seen; null for batch jobs and before the first look. */
  agent: { state: 'running' | 'ended' | 'unknown'; node: string | null; reason: string | null; seenAt: number } | null;
  /** Hosts of agents that stay. */
  hosts: { id: string; name: string; isOnline: boolean }[];
  /** Batch jobs that have not ended. */
  jobs: { waiting: number; running: number; unknown: number };
  /** Queued runs that ask for this launcher's name. */
  boundRuns: number;
  rest: { until: number; reason: string } | null;
}
export interface LauncherEventView {
  id: number;
  at: number;
  step: string;
  kind: 'begun' | 'done' | 'skipped' | 'failed' | 'output';
  line: string;
}
export interface SlurmJobView {
  token: string;
  runId: string;
  runLabel: string;
  /** Null while it is being submitted. */
  jobId: string | null;
  state: 'submitting' | 'waiting' | 'running' | 'unknown' | 'ended';
  reason: string | null;
  node: string | null;
  endCause: string | null;
  exitCode: number | null;
  signal: string | null;
  restarts: number;
  /** Its agent has spoken with the hub. */
  hasAttached: boolean;
  submittedAt: number;
  endedAt: number | null;
}
