/** What the fake trainer does; travels as JSON in the grant's label. */
export interface FakeScript {
  steps: number;
  everyMs?: number;
  checkpointEvery?: number;
  /** What it prints at a step, bytes as base64, so many times. */
  prints?: { step: number; stream: 'stdout' | 'stderr'; base64: string; times?: number }[];
  /** Waits at this step for a file `go` in its folder. */
  holdAt?: number;
  /** Writes a record at this step that the test hub refuses. */
  badRecordAt?: number;
  /** Writes a line at this step that is no record. */
  unreadableAt?: number;
  readsInputs?: boolean;
  ignoresTerm?: boolean;
  startsSilent?: boolean;
  /** Starts a process outside its session, which writes `daemon.json`: its number, and whether it has heard SIGTERM. */
  startsDaemon?: boolean;
  /** `exit-7` ends without any word of its own. */
  end: 'succeed' | 'fail' | 'crash' | 'hang' | 'exit-7';
}
