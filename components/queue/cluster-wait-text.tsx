import type { ClusterWait } from '@mealtable/protocol/views';
import Link from 'next/link';

const STATES: Record<string, string> = {
  submitting: 'its job is being submitted',
  waiting: 'PENDING',
  running: 'RUNNING, its agent has not taken the run yet',
  unknown: 'unknown at the moment',
};

/** "Waits in Slurm on cluster-a: job 123 PENDING (Resources)." */
export function ClusterWaitText({ wait: { launcherId, name, job, rest } }: { wait: ClusterWait }) {
  const cluster = (
    <Link href={`/hosts/launchers/${launcherId}`} prefetch={false} className="font-medium text-accent hover:underline">
      {name}
    </Link>
  );
  if (job)
    return (
      <>
        Waits in Slurm on {cluster}: {job.jobId !== null && `job ${job.jobId} `}
        {STATES[job.state] ?? job.state}
        {job.reason !== null && ` (${job.reason.replace(/\.$/, '')})`}.
      </>
    );
  if (rest)
    return (
      <>
        {cluster} submits no jobs for a while: {rest.reason.replace(/\.$/, '')}.
      </>
    );
  return <>Gets a job on {cluster} as soon as its limit allows.</>;
}
