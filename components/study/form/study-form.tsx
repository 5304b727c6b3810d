'use client';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { type FocusEvent, useRef } from 'react';
import { readProblems } from '../../api-error';
import { BasicsSection } from './basics-section';
import { DataSection } from './data-section';
import { splitLabels } from './draft-to-design';
import { FactorsSection } from './factors-section';
import { StudyFormContext } from './form-context';
import { HostsSection } from './hosts-section';
import { PlannedSection } from './planned-section';
import { goToField } from './problems';
import { RepeatsSection } from './repeats-section';
import { SoftLabelsSection } from './soft-labels-section';
import { SubmitPanel } from './submit-panel';
import { TrainingSection } from './training-section';
import { type StudyFormInput, useStudyFormState } from './use-study-form-state';

interface StudyFormProps extends StudyFormInput {
  /** Creates or extends; throws what the hub refuses. */
  onSubmit: (study: {
    name: string;
    question: string;
    notes: string;
    design: StudyDesign;
    requiredLabels: string[];
  }) => Promise<void>;
  isBusy: boolean;
  error: unknown;
}

export function StudyForm({ onSubmit, isBusy, error, ...input }: StudyFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { state, design, touch, isTried, setTried, setRefused } = useStudyFormState(input);
  const { draft, problems, existing } = state;

  const submit = async () => {
    setTried(true);
    const [first] = problems;
    if (first || !design) {
      if (first && form.current) goToField(form.current, first.path);
      return;
    }
    try {
      const { name, question, notes, hostLabels } = draft;
      const basics = { name: name.trim(), question: question.trim(), notes: notes.trim() };
      await onSubmit({ ...basics, design, requiredLabels: splitLabels(hostLabels) });
    } catch (refusal) {
      // Problems inside the design come with or without its name in front.
      const found = readProblems(refusal).map(({ path, message }) => ({
        path: path.replace(/^design\./, ''),
        message,
      }));
      setRefused(found);
      if (found[0] && form.current) goToField(form.current, found[0].path);
    }
  };
  const noteLeaving = ({ target }: FocusEvent<HTMLElement>) => {
    const path = target.closest<HTMLElement>('[data-path]')?.dataset.path;
    if (path) touch(path);
  };
  return (
    <StudyFormContext value={state}>
      <form
        ref={form}
        noValidate
        aria-label={existing ? 'Extend the study' : 'New study'}
        onBlur={noteLeaving}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_400px]"
      >
        <div className="min-w-0 space-y-4">
          {!existing && <BasicsSection />}
          <DataSection />
          <TrainingSection />
          <PlannedSection />
          <FactorsSection />
          <SoftLabelsSection />
          <RepeatsSection />
          {!existing && <HostsSection />}
        </div>
        <SubmitPanel
          isBusy={isBusy}
          isTried={isTried}
          error={error}
          onGoTo={(path) => form.current && goToField(form.current, path)}
        />
      </form>
    </StudyFormContext>
  );
}
