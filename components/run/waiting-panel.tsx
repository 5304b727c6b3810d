import type { RunDetailView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { Notice } from '../ui/notice';
import { StatusText } from '../ui/status-badge';

/** Why a queued run does not start. */
export function WaitingPanel({ run }: { run: RunDetailView }) {
  if (run.status !== 'queued') return null;
  if (run.waitingFor.length === 0)
    return (
      <Notice className="mb-4" title="In the queue">
        The first host with a free slot and the dataset “{run.config.dataset}” takes it. See the{' '}
        <Link href="/hosts" className="font-medium text-accent hover:underline">
          hosts
        </Link>
        .
      </Notice>
    );
  return (
    <Notice className="mb-4" title="Waits for runs that have to succeed first">
      <ul className="mt-1 space-y-0.5">
        {run.waitingFor.map((other) => (
          <li key={other.runId} className="flex flex-wrap items-center gap-x-3">
            <Link href={`/runs/${other.runId}`} className="font-medium text-accent hover:underline">
              {other.label}
            </Link>
            <StatusText status={other.status} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}
