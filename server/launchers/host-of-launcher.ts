/** An agent says hello with the token of a launcher: the host is that launcher's, and one of a batch job is the job's. */
import type { Tx } from '../runs/transaction.ts';

/** Call it after the host's row was written. @param name as the agent reported it: a job's agent gives its job's token */
export async function assignLauncher(tx: Tx, hostId: string, tokenId: string, name: string): Promise<void> {
  const { rows } = await tx.query<{ launcher_id: string | null; launcher_name: string | null }>(
    `UPDATE hosts h SET launcher_id = t.launcher_id
     FROM tokens t LEFT JOIN launchers l ON l.id = t.launcher_id WHERE h.id = $1 AND t.id = $2
     RETURNING t.launcher_id, l.name AS launcher_name`,
    [hostId, tokenId],
  );
  const { launcher_id: launcherId, launcher_name: launcherName } = rows[0] ?? {};
  if (!launcherId) return;
  const { rows: jobs } = await tx.query<{ job_id: string | null }>(
    'UPDATE slurm_jobs SET host_id = $1 WHERE token = $2 AND launcher_id = $3 RETURNING job_id',
    [hostId, name, launcherId],
  );
  if (jobs[0])
    await tx.query('UPDATE hosts SET name = $2 WHERE id = $1', [
      hostId,
      `${launcherName}${jobs[0].job_id === null ? '' : ` job ${jobs[0].job_id}`}`,
    ]);
  tx.emit('launcher:attached', launcherId);
}
