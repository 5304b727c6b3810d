'use client';
import { CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react';
import { formatClock, formatDuration } from '../format';
import { cn } from '../ui/cn';
import { Panel } from '../ui/panel';
import { groupSteps, type ShownStep } from './group-steps';
import { useLauncherEvents } from './use-launcher-events';
import { stepWord } from './words';

const ICONS = {
  begun: { icon: LoaderCircle, tone: 'text-accent animate-spin [animation-duration:2s]', word: 'under way' },
  done: { icon: CircleCheck, tone: 'text-good', word: 'done' },
  skipped: { icon: CircleDashed, tone: 'text-ink-3', word: 'not needed' },
  failed: { icon: CircleX, tone: 'text-bad', word: 'failed' },
} as const;
/** A cluster goes on for weeks: the latest are in sight. */
const SHOWN = 60;

/** What a launch is doing and did, step by step, as it happens. @param isAtWork without it a step that has begun is over, untold how */
export function StepsPanel({ id, isAtWork, isOfJobs }: { id: string; isAtWork: boolean; isOfJobs: boolean }) {
  const events = useLauncherEvents(id);
  const steps = groupSteps(events ?? []).slice(-SHOWN);
  const shown = isOfJobs ? steps.toReversed() : steps;
  return (
    <Panel title={isOfJobs ? 'What happened' : 'Steps'} hint={isOfJobs ? 'Newest first' : undefined}>
      {events !== null && steps.length === 0 && (
        <p className="text-ink-2 text-sm">
          {isOfJobs ? 'No job has ended or been submitted yet.' : 'Nothing was launched yet.'}
        </p>
      )}
      <ol className="space-y-2.5" aria-live="polite">
        {shown.map((step) => (
          <Step key={step.id} step={step} isAtWork={isAtWork} />
        ))}
      </ol>
    </Panel>
  );
}

function Step({ step, isAtWork }: { step: ShownStep; isAtWork: boolean }) {
  const isLost = step.state === 'begun' && !isAtWork;
  const { icon: Icon, tone, word } = ICONS[isLost ? 'skipped' : step.state];
  return (
    <li className="min-w-0 text-sm">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <Icon aria-label={isLost ? 'broken off' : word} className={cn('size-4 shrink-0 self-center', tone)} />
        <span className="font-medium">{stepWord(step.step)}</span>
        <span className="num ml-auto text-ink-3 text-xs">
          {step.endedAt !== null && step.endedAt - step.startedAt >= 1_000
            ? formatDuration(step.endedAt - step.startedAt)
            : formatClock(step.startedAt)}
        </span>
        <p className={cn('w-full break-words pl-6', step.state === 'failed' ? 'text-bad' : 'text-ink-2')}>
          {isLost ? `${step.message} It was broken off; launch again.` : step.message}
        </p>
      </div>
      {step.output.length > 0 && (
        <details className="mt-1 pl-6" open={step.state === 'failed' || (step.state === 'begun' && isAtWork)}>
          <summary className="w-fit cursor-pointer text-ink-3 text-xs">
            {step.output.length} {step.output.length === 1 ? 'line' : 'lines'} of output
          </summary>
          <pre className="num mt-1 max-h-64 overflow-auto whitespace-pre-wrap break-all rounded-lg border bg-sunken p-2 text-xs leading-5">
            {step.output.map(({ line }) => line).join('\n')}
          </pre>
        </details>
      )}
    </li>
  );
}
