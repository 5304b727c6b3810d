'use client';
import type { LauncherView, SlurmJobView } from '@mealtable/protocol/launcher-views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ScrollText } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { NONE } from '../format';
import { useLiveEvent, useThrottle } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { Badge, type Tone } from '../ui/badge';
import { IconButton } from '../ui/button';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Skeleton } from '../ui/skeleton';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { OutputDialog } from './output-dialog';
import { describeJob } from './words';

const toneOf = ({ state, endCause, exitCode }: SlurmJobView): Tone => {
  if (state === 'running') return 'accent';
  if (state === 'unknown') return 'warn';
  if (state !== 'ended' || endCause === 'cancelled') return 'neutral';
  return endCause === 'exit' && exitCode === 0 ? 'good' : 'bad';
};

/** Batch jobs of a cluster: open ones first, then the latest that ended. */
export function JobsTable({ launcher: { id, name }, canEdit }: { launcher: LauncherView; canEdit: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [shown, setShown] = useState<SlurmJobView | null>(null);
  const jobs = useQuery(trpc.launchers.jobs.queryOptions({ id }));
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.launchers.jobs.queryFilter({ id })), 500);
  useLiveEvent('launcher:changed', ({ launcherId }) => {
    if (launcherId === id) refresh();
  });
  return (
    <Section title="Jobs" hint={`A run whose required labels name ${name} becomes a job here.`}>
      {jobs.isPending && <Skeleton className="h-40" />}
      {jobs.isError && !jobs.data && (
        <ErrorState what="The jobs" error={jobs.error} onRetry={() => void jobs.refetch()} />
      )}
      {jobs.data?.length === 0 && (
        <p className="rounded-panel border border-line-strong border-dashed px-4 py-6 text-center text-ink-2 text-sm">
          No run has asked for this cluster yet. Choose runs of a study and set their required labels to{' '}
          <code className="text-xs">{name}</code>.
        </p>
      )}
      {jobs.data && jobs.data.length > 0 && (
        <Table label="Jobs">
          <thead>
            <tr>
              <Th>Job</Th>
              <Th>State</Th>
              <Th>Run</Th>
              <Th>Node</Th>
              <Th>Submitted</Th>
              <Th>Ended</Th>
              <Th>
                <span className="sr-only">Output</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {jobs.data.map((job) => (
              <Tr key={job.token}>
                <Td className="num whitespace-nowrap">
                  {job.jobId ?? NONE}
                  {job.restarts > 0 && <span className="text-ink-3 text-xs"> restarted {job.restarts}×</span>}
                </Td>
                <Td className="min-w-32 max-w-64">
                  <Badge tone={toneOf(job)}>{describeJob(job)}</Badge>
                  {job.reason && job.state !== 'running' && (
                    <span className="mt-0.5 line-clamp-2 block break-words text-ink-3 text-xs" title={job.reason}>
                      {job.reason}
                    </span>
                  )}
                </Td>
                <Td className="max-w-56">
                  <Link
                    href={`/runs/${job.runId}`}
                    className="block min-w-32 truncate hover:text-accent hover:underline"
                    title={job.runLabel}
                  >
                    {job.runLabel}
                  </Link>
                </Td>
                <Td className="num whitespace-nowrap">{job.node ?? NONE}</Td>
                <Td className="whitespace-nowrap text-ink-2">
                  <RelativeTime at={job.submittedAt} none={NONE} />
                </Td>
                <Td className="whitespace-nowrap text-ink-2">
                  <RelativeTime at={job.endedAt} none={NONE} />
                </Td>
                <Td align="right">
                  {canEdit && (
                    <IconButton label={`Output of job ${job.jobId ?? ''}`} size="sm" onClick={() => setShown(job)}>
                      <ScrollText aria-hidden />
                    </IconButton>
                  )}
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      {shown && (
        <OutputDialog
          launcherId={id}
          token={shown.token}
          title={`Output of job ${shown.jobId ?? shown.token}`}
          onOpenChange={(open) => !open && setShown(null)}
        />
      )}
    </Section>
  );
}
