/** The agent's last words in an attempt's record file, of which it is the only writer once the trainer is gone. */
import { OUTPUT_STREAMS } from '@mealtable/protocol/output';
import { FAILURE_LOG_LINES } from '@mealtable/protocol/tunables';
import { RecordWriter } from '../train/record-writer.ts';
import type { AttemptDir, Verdict } from './attempt-dir.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { readLastLines } from './output-tail.ts';
import { makeBackoff, waitFor } from './retry.ts';

/** The protocol's bound on `EndedRecord.message`. */
const MAX_MESSAGE = 2000;

export interface OwnRecords {
  firstSeq: number;
  /** The number of `ended`. */
  lastSeq: number;
}

type Write = (writer: RecordWriter) => number;

/**
 * Appends the ended record. A full disk is waited for, since the hub must hear of the end. Null when the signal came first.
 * @param sendsOutput false for a hub that does not take the output itself: a failed attempt's last lines then go before
 */
export async function writeEnd(
  dir: AttemptDir,
  verdict: Verdict,
  sendsOutput: boolean,
  { limits, log }: { limits: AgentLimits; log: Log },
  signal: AbortSignal,
): Promise<OwnRecords | null> {
  const lines = verdict.outcome === 'failed' && !sendsOutput ? lastLines(dir) : [];
  const message = verdict.message?.slice(0, MAX_MESSAGE) ?? null;
  const writes: Write[] = [
    ...lines.map(
      (line): Write =>
        (writer) =>
          writer.log('output', line),
    ),
    (writer) => writer.write({ kind: 'ended', ...verdict, message }),
  ];
  const seqs: number[] = [];
  for (const backoff = makeBackoff(limits); !signal.aborted; await waitFor(backoff.next(), signal)) {
    try {
      append(dir.records, writes, seqs);
      return { firstSeq: seqs[0]!, lastSeq: seqs.at(-1)! };
    } catch (error) {
      log(`${dir.name}: the end of the attempt cannot be written: ${(error as Error).message}`);
    }
  }
  return null;
}

/** stderr comes last: the reason of a failure is there. */
const lastLines = (dir: AttemptDir) =>
  OUTPUT_STREAMS.flatMap((stream) => readLastLines(dir.output(stream), FAILURE_LOG_LINES)).slice(-FAILURE_LOG_LINES);

/** Takes off the list what has been written, so that a second try repeats nothing. */
function append(path: string, writes: Write[], seqs: number[]): void {
  const writer = RecordWriter.open(path);
  try {
    for (let write = writes[0]; write; write = writes[0]) {
      seqs.push(write(writer));
      writes.shift();
    }
  } finally {
    writer.close();
  }
}
