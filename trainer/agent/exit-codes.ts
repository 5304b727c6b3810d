/** How the agent ends. Refusals by the hub have their codes in the protocol (FATAL_REFUSALS: 77, 78, 79). */
export const AGENT_EXIT = {
  /** Asked to stop, or a local agent whose hub is gone. */
  ok: 0,
  /** A flag or variable cannot be used. */
  badFlags: 2,
  /** Another agent works in the same state folder. */
  locked: 3,
  /** A bug here; trainers go on and the next agent takes them over. */
  bug: 70,
  /** The state folder cannot be read or written. */
  stateFolder: 74,
  /** Asked to stop before its one run was done: a batch job with this end is to be started again. */
  unfinished: 75,
  /** Asked to stop a second time before all was sent. */
  impatient: 130,
} as const;

/** An expected end of the agent: one sentence for the person who started it, and the exit code. */
export class AgentExit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'AgentExit';
    this.exitCode = exitCode;
  }
}
