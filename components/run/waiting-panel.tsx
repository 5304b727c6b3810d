'use client';
import { isActive } from '@mealtable/protocol/statuses';
import { STOP_GRACE_MS } from '@mealtable/protocol/tunables';
import type { RunDetailView } from '@mealtable/protocol/views';
import { useQuery } from '@tanstack/react-query';
import { formatClock } from '../format';
import { NEXT_TEXT, WaitReasonText } from '../queue/wait-reason';
import { useTRPC } from '../trpc-provider';
import { Notice } from '../ui/notice';
import { useNow } from '../ui/time';

/** Slots are freed without an event for those who wait for them. */
const RENEW_MS = 5_000;
/** What the way to the host and back may take beside the trainer's own grace. */
const ON_THE_WAY_MS = 5_000;

/** Why a queued run does not start, or until when an active one will have stopped. */
export function WaitingPanel({ run }: { run: RunDetailView }) {
  if (run.status === 'queued') return <Waiting run={run} />;
  if (!isActive(run.status)) return null;
  if (run.cancelRequestedAt !== null) return <Stopping what="cancelled" askedAt={run.cancelRequestedAt} run={run} />;
  if (run.pauseRequestedAt !== null) return <Stopping what="paused" askedAt={run.pauseRequestedAt} run={run} />;
  return null;
}

function Waiting({ run }: { run: RunDetailView }) {
  const trpc = useTRPC();
  const { data } = useQuery(
    trpc.runs.waiting.queryOptions({ id: run.id }, { refetchInterval: RENEW_MS, staleTime: 0 }),
  );
  if (!data) return <Notice className="mb-4" title="In the queue" />;
  const { position, reasons } = data;
  const title =
    run.heldAt !== null ? 'Paused' : position === null ? 'In the queue' : `In the queue, number ${position}`;
  return (
    <Notice className="mb-4" title={title}>
      {reasons.length === 0 ? (
        NEXT_TEXT
      ) : (
        <ul className="space-y-0.5">
          {reasons.map((reason) => (
            <li key={reason.kind}>
              <WaitReasonText reason={reason} position={position} />
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

function Stopping({ what, askedAt, run }: { what: 'cancelled' | 'paused'; askedAt: number; run: RunDetailView }) {
  const now = useNow(1_000);
  const deadline = askedAt + STOP_GRACE_MS + ON_THE_WAY_MS;
  const host = run.hostName ?? 'its host';
  return (
    <Notice tone="warn" className="mb-4" title={`It is being ${what}`}>
      {now <= deadline ? (
        <>
          {host} has been asked{what === 'paused' && ' to save a checkpoint and free the slot'}. By{' '}
          {formatClock(deadline)} at the latest: a trainer that does not stop in time is killed
          {what === 'paused' && ', and the run goes on from its checkpoint before that'}.
        </>
      ) : (
        <>
          {host} has not said that it stopped. As soon as it is heard of again it does; otherwise the run is taken from
          it when its lease ends.
        </>
      )}
    </Notice>
  );
}
