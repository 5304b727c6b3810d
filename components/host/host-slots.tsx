import type { HostView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { formatBytes, plural } from '../format';
import { RunStepsBar } from '../run/run-steps-bar';
import { StatusIcon } from '../ui/status-badge';
import { shownStatus } from '../words';

/** What each slot does, and how many are free. */
export function HostSlots({ host }: { host: HostView }) {
  const free = Math.max(0, host.slots - host.runs.length);
  return (
    <div className="min-w-0">
      <h3 className="mb-2 font-medium text-ink-2 text-xs">
        Slots{' '}
        <span className="num text-ink">
          {host.runs.length}/{host.slots}
        </span>
      </h3>
      <ul className="space-y-2.5">
        {host.runs.map((run) => (
          <li key={run.id} className="min-w-0 text-sm">
            <div className="flex items-center gap-1.5">
              <StatusIcon status={shownStatus(run)} className="size-3.5" />
              <Link
                href={`/runs/${run.id}`}
                className="min-w-0 truncate font-medium hover:text-accent hover:underline"
                title={`${run.variantLabel}, seed ${run.seed}`}
              >
                {run.variantLabel}
              </Link>
              <span className="num ml-auto shrink-0 text-ink-3 text-xs">seed {run.seed}</span>
            </div>
            <RunStepsBar run={run} className="mt-1" />
            <p className="mt-0.5 truncate text-ink-3 text-xs">{run.studyName}</p>
          </li>
        ))}
        {free > 0 && (
          <li className="flex h-8 items-center rounded-control border border-dashed px-2.5 text-ink-3 text-xs">
            {whyUnused(host) ?? `${plural(free, 'slot')} free, ${formatBytes(host.slotMemoryBytes)} each`}
          </li>
        )}
      </ul>
    </div>
  );
}

/** Why none of its free slots is used, or null. */
function whyUnused({ state, drainingAt, restingUntil }: HostView): string | null {
  if (state !== 'online') return 'Takes no runs while it is away';
  if (drainingAt !== null) return 'Takes no runs: it is drained';
  return restingUntil === null ? null : 'Takes no runs while it rests';
}
