/**
 * appendOutput: lines that a trainer printed into the database, exactly once. The mark is the highest number stored of the
 * stream: whatever does not follow on it changes nothing, and the answer says where to go on.
 */
import { type OutputBatch, type OutputBatchReply, type OutputLine, REWRITTEN } from '@mealtable/protocol/output';
import { type CoreHub, type Tx, transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';

/**
 * Stores a batch that follows on what is stored. The last state of a progress bar goes when the next line comes. Lines of
 * stale attempts are kept, as their log lines are, and the answer says `fenced` where another attempt owns the run.
 */
export async function appendOutput(hub: CoreHub, batch: OutputBatch): Promise<OutputBatchReply> {
  try {
    return await transact(hub, (tx) => appendLines(tx, batch));
  } catch (error) {
    // The agent still has the lines and tries again; a fault in the hub itself must be seen by its operator.
    const message = error instanceof Error ? error.message : String(error);
    console.error(`The ${batch.stream} of ${batch.runId} attempt ${batch.attempt} could not be stored: ${message}`);
    return { ok: false, code: 'unavailable', message: 'The hub could not write to its database just now.' };
  }
}

async function appendLines(tx: Tx, { runId, attempt, stream, after, lines }: OutputBatch): Promise<OutputBatchReply> {
  // A batch waits for no more than another one of the same attempt. The run must not be removed meanwhile.
  const { rows } = await tx.query<{ current_attempt: number }>(
    `SELECT r.attempt AS current_attempt FROM run_attempts a JOIN runs r ON r.id = a.run_id
     WHERE a.run_id = $1 AND a.attempt = $2 FOR NO KEY UPDATE OF a FOR KEY SHARE OF r`,
    [runId, attempt],
  );
  // The run was removed with all that it had: there is nothing to keep the lines for.
  if (!rows[0]) return { ok: true, ackedSeq: lines.at(-1)?.seq ?? after, fenced: true };
  const fenced = attempt < rows[0].current_attempt;
  const last = await findLast(tx, runId, attempt, stream);
  const mark = last?.seq ?? 0;
  const newest = lines.at(-1);
  if (after !== mark || !newest) return { ok: true, ackedSeq: mark, fenced };

  // A state that the same batch already replaces is not worth a row.
  const kept = lines.filter((line) => line === newest || !line.line.endsWith(REWRITTEN));
  await insertLines(tx, runId, attempt, stream, kept, last?.at ?? 0);
  if (last?.line.endsWith(REWRITTEN))
    await tx.query('DELETE FROM output_lines WHERE run_id = $1 AND attempt = $2 AND stream = $3 AND seq = $4', [
      runId,
      attempt,
      stream,
      mark,
    ]);
  tx.emit('run:output', { runId, attempt, stream, lines: kept });
  return { ok: true, ackedSeq: newest.seq, fenced };
}

async function findLast(tx: Tx, runId: string, attempt: number, stream: string): Promise<OutputLine | undefined> {
  const { rows } = await tx.query<{ seq: number; at: Date; line: string }>(
    `SELECT seq, at, line FROM output_lines WHERE run_id = $1 AND attempt = $2 AND stream = $3
     ORDER BY seq DESC LIMIT 1`,
    [runId, attempt, stream],
  );
  return rows[0] && { ...rows[0], at: rows[0].at.getTime() };
}

/** @param notBefore times of a stream never go back, so that a place can be found by its time */
async function insertLines(
  tx: Tx,
  runId: string,
  attempt: number,
  stream: string,
  lines: readonly OutputLine[],
  notBefore: number,
): Promise<void> {
  let latest = notBefore;
  const times = lines.map(({ at }) => {
    latest = Math.max(latest, at);
    return latest;
  });
  await tx.query(
    `INSERT INTO output_lines (run_id, attempt, stream, seq, at, line)
     SELECT $1, $2, $3::output_stream, seq, to_timestamp(at / 1000), line
     FROM unnest($4::int[], $5::float8[], $6::text[]) AS t(seq, at, line)`,
    [runId, attempt, stream, lines.map((line) => line.seq), times, lines.map((line) => withoutNul(line.line))],
  );
}
