/** Events to the steps of the last launch, each with its state and its output. Pure. */
import type { LauncherEventView } from '@mealtable/protocol/launcher-views';

export interface ShownStep {
  /** Of its first event. */
  id: number;
  step: string;
  state: 'begun' | 'done' | 'skipped' | 'failed';
  /** The last thing said of it, apart from its output. */
  message: string;
  startedAt: number;
  endedAt: number | null;
  output: LauncherEventView[];
}

/** @param events oldest first @returns steps since the last launch or stop began, in their order */
export function groupSteps(events: readonly LauncherEventView[]): ShownStep[] {
  const from = events.findLastIndex(({ step, kind }) => kind === 'begun' && (step === 'launch' || step === 'stop'));
  const steps: ShownStep[] = [];
  for (const event of events.slice(Math.max(0, from))) {
    let shown = steps.findLast(({ step }) => step === event.step);
    // A job's events are each a thing of its own.
    const isAnother =
      event.kind !== 'output' && (event.step === 'job' || (event.kind === 'begun' && shown?.endedAt !== null));
    if (!shown || isAnother) {
      shown = {
        id: event.id,
        step: event.step,
        state: 'begun',
        message: '',
        startedAt: event.at,
        endedAt: null,
        output: [],
      };
      steps.push(shown);
    }
    if (event.kind === 'output') shown.output.push(event);
    else {
      shown.state = event.kind;
      shown.message = event.line;
      shown.endedAt = event.kind === 'begun' ? null : event.at;
    }
  }
  return steps;
}
