/** What a queued run that asks for a cluster waits for there. */
import { IS_BOUND } from './job-rows.ts';

/** SQL, to be joined: of run `r` the cluster that it asks for, a ClusterWait as `wait`; no row for other runs. */
export const CLUSTER_WAIT = `
  SELECT jsonb_build_object(
           'launcherId', l.id, 'name', l.name,
           'job', CASE WHEN j.token IS NOT NULL THEN jsonb_build_object('jobId', j.job_id, 'state', j.state, 'reason', j.reason) END,
           'rest', CASE WHEN l.resting_until > now() THEN jsonb_build_object(
             'until', extract(epoch FROM l.resting_until) * 1000, 'reason', COALESCE(l.rest_reason, '')) END) AS wait
  FROM launchers l LEFT JOIN slurm_jobs j ON j.launcher_id = l.id AND j.run_id = r.id AND j.ended_at IS NULL
  WHERE l.kind = 'slurm' AND ${IS_BOUND} ORDER BY j.submitted_at DESC NULLS LAST, l.name LIMIT 1`;
