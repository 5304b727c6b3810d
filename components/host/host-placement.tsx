'use client';
import type { HostView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { formatClock, plural } from '../format';
import { Notice } from '../ui/notice';
import { RelativeTime } from '../ui/time';
import { HostLabelsEditor } from './host-labels-editor';

/** What decides which runs the host gets: its labels, and what keeps runs away. */
export function HostPlacement({ host, canEdit }: { host: HostView; canEdit: boolean }) {
  const { drainingAt, restingUntil, restReason, problems, refusals } = host;
  return (
    <div className="space-y-3 border-b px-4 py-3">
      {drainingAt !== null && (
        <Notice title="Drained">
          It takes no more runs, since somebody drained it <RelativeTime at={drainingAt} />.{' '}
          {host.runs.length > 0
            ? `${plural(host.runs.length, 'run')} on it will end in their own time.`
            : 'Nothing runs on it.'}
        </Notice>
      )}
      {restingUntil !== null && (
        <Notice tone="warn" title={`Rests until ${formatClock(restingUntil)}`}>
          <span className="break-words">{restReason}</span>
        </Notice>
      )}
      {host.state === 'online' && problems.length > 0 && (
        <Notice tone="warn" title="Slots are not offered just now">
          <ul className="space-y-1">
            {problems.map((problem) => (
              <li key={problem} className="break-words">
                {problem}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {refusals.length > 0 && (
        <Notice tone="warn" title={`Its agent does not take ${plural(refusals.length, 'waiting run')}`}>
          <ul className="mt-1 max-h-40 space-y-1 overflow-y-auto">
            {refusals.map(({ runId, label, reason }) => (
              <li key={runId} className="break-words">
                <Link href={`/runs/${runId}`} prefetch={false} className="font-medium text-accent hover:underline">
                  {label}
                </Link>
                : {reason}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <HostLabelsEditor host={host} canEdit={canEdit} />
    </div>
  );
}
