/**
 * The one interface of all ways to start trainers: on this machine, over ssh, through Slurm.
 *
 * A launch is known by our token and by nothing else. A handle (process id, job id) may name something else tomorrow: Slurm gives
 * the same number twice after a crash of its controller. So `submit` looks for its token before it starts anything, every act checks
 * that the handle still belongs to the token, and what cannot be found or reached is `unknown`, which is never `failed`.
 */
import type { LauncherKind } from '@mealtable/protocol/launchers';

/** Letters, digits, dot, dash and underscore: it is a job name, a folder name and a word in a script. */
export type LaunchToken = string & { readonly launchToken: unique symbol };

/** @returns the token of what runs one attempt of a run, or of a host's agent (attempt absent) @throws when it cannot be one */
export function launchToken(id: string, attempt?: number): LaunchToken {
  const token = attempt === undefined ? id : `${id}.${attempt}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(token)) throw new Error(`"${token}" cannot be a launch token.`);
  return token as LaunchToken;
}

/** What a host or a job is to do. It never holds a command or a path of a program. */
export interface LaunchSpec {
  /** Where the agent reaches the hub, as seen from the host. */
  hubUrl: string;
  /** Goes into a file that only the host's user can read; never into an argument, a script or a log. */
  agentToken: string;
  /** Name of the host on the Hosts page. */
  name: string;
  /** What the host offers to runs. */
  labels: readonly string[];
  /** The only run that is trained; the agent ends with it. Null: an agent that takes runs until it is stopped. */
  runId: string | null;
}

export const LAUNCH_STATES = ['waiting', 'running', 'ended', 'unknown'] as const;
/** `unknown`: not seen where it should be, or the place could not be asked. The run's heartbeats decide, not the launcher. */
export type LaunchState = (typeof LAUNCH_STATES)[number];

export const END_CAUSES = [
  /** The program ended by itself: see code and signal. */
  'exit',
  /** Somebody cancelled it, here or there. */
  'cancelled',
  'time_limit',
  'out_of_memory',
  'node_failed',
  'preempted',
  /** Ended, and nothing says how. */
  'untold',
] as const;
export type EndCause = (typeof END_CAUSES)[number];

export interface LaunchExit {
  cause: EndCause;
  code: number | null;
  signal: number | null;
}

export interface Launched {
  token: LaunchToken;
  handle: string;
}
export interface LaunchStatus extends Launched {
  state: LaunchState;
  /** For people: why it waits, or why it is unknown. */
  reason: string | null;
  /** Whether the place answered at all. Where it did, `unknown` means that it has no trace of the launch. */
  wasAsked: boolean;
  /** Why the place could not be asked. */
  fault?: LaunchFault;
  /** Machine it runs on. */
  node: string | null;
  /** Only of one that ended. */
  exit: LaunchExit | null;
  /** How often the engine has started it again by itself. */
  restarts: number;
}

export const LAUNCH_STEPS = [
  'connect',
  'host_key',
  'node_version',
  'upload',
  'install',
  'tensorflow',
  'start',
  'attached',
  'submit',
] as const;
export type LaunchStep = (typeof LAUNCH_STEPS)[number];
/** Told as it happens, so that a person sees what a launch is doing and which step it stopped at. */
export type LaunchEvent =
  | { step: LaunchStep; kind: 'begun' | 'done' | 'skipped' | 'failed'; message: string }
  /** One line of what the step's program printed. */
  | { step: LaunchStep; kind: 'output'; message: string };
export type LaunchReport = (event: LaunchEvent) => void;

export const LAUNCH_FAULTS = [
  /** No connection, or it broke. What was asked for may have happened: `list` tells. */
  'unreachable',
  /** Nobody has accepted a key of this host yet. */
  'host_key_unknown',
  /** The host shows another key than the accepted one. */
  'host_key_changed',
  'not_allowed',
  /** No Node that can run the agent. */
  'no_node',
  'upload_failed',
  'install_failed',
  /** The agent ended at once. */
  'start_failed',
  /** The engine refused the job. */
  'refused',
  /** As many jobs as the settings allow wait or run. */
  'at_limit',
  /** The handle belongs to something else by now, or to nothing. */
  'not_ours',
] as const;
export type LaunchFaultCode = (typeof LAUNCH_FAULTS)[number];
export interface LaunchFault {
  code: LaunchFaultCode;
  /** A sentence that says what to do. */
  message: string;
}
export type LaunchResult<T> = ({ ok: true } & T) | { ok: false; fault: LaunchFault };

export interface LauncherCapabilities {
  kind: LauncherKind;
  /** Whether a launch is an agent that stays, or one run. */
  unit: 'agent' | 'run';
  /** Whether the engine may start a job again by itself, and `requeue` does so. */
  canRequeue: boolean;
  /** Launches at once; null: no limit. */
  maxAtOnce: number | null;
}

export type LaunchSignal = 'TERM' | 'KILL' | 'HUP' | 'USR2';

export interface Launcher {
  capabilities(): LauncherCapabilities;
  /**
   * Makes it so that what the token stands for is running, once: safe to repeat after any fault. An agent of another version of the
   * package is replaced, and its trainers go on.
   */
  submit(spec: LaunchSpec, token: LaunchToken, report: LaunchReport): Promise<LaunchResult<{ handle: string }>>;
  /**
   * What the engine knows, by token: one entry for each of `known`, and one for every launch of ours that it has besides.
   * @param known what the caller believes to exist; needed because absence can only be told of what was expected
   */
  list(known: readonly Launched[]): Promise<LaunchStatus[]>;
  signal(launched: Launched, signal: LaunchSignal): Promise<LaunchResult<object>>;
  /** TERM, which saves a checkpoint, then KILL after the grace. `hasEnded` is false when it still runs. */
  stop(launched: Launched, graceMs: number): Promise<LaunchResult<{ hasEnded: boolean }>>;
  /** Starts a job that ended before its run was done once more, under the same token. */
  requeue?(launched: Launched): Promise<LaunchResult<object>>;
  /** The last lines that it printed. */
  tail(token: LaunchToken, lines: number): Promise<LaunchResult<{ lines: string[] }>>;
  /** What would be submitted, exactly; it holds no secret. */
  dryRun(spec: LaunchSpec, token: LaunchToken): Promise<LaunchResult<{ script: string }>>;
  /** Ends connections; nothing that was launched. */
  close(): Promise<void>;
}
