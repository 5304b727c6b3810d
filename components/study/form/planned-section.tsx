'use client';
import { Plus } from 'lucide-react';
import { Button } from '../../ui/button';
import { FieldError } from '../../ui/field';
import { Panel } from '../../ui/panel';
import { useStudyForm } from './form-context';
import { PlannedCard } from './planned-card';
import { addPlanned } from './planned-edits';
import { problemAt } from './problems';

export function PlannedSection() {
  const { draft, update, shown, existing } = useStudyForm();
  const isFixed = (key: string) => existing?.planned.some((planned) => planned.key === key) ?? false;
  return (
    <Panel
      title="Networks to train first"
      hint="On hard labels, once each. They can teach, or be the student’s start."
      actions={
        <Button size="sm" onClick={() => update(addPlanned)}>
          <Plus aria-hidden /> Add a network
        </Button>
      }
    >
      <div data-path="planned">
        {draft.planned.length === 0 ? (
          <p className="text-ink-3 text-sm">None. Needed when no run of yours on this dataset can teach yet.</p>
        ) : (
          <ul className="space-y-3">
            {draft.planned.map((planned, index) => (
              <PlannedCard key={planned.id} planned={planned} index={index} isFixed={isFixed(planned.key)} />
            ))}
          </ul>
        )}
        <FieldError message={problemAt(shown, 'planned')} />
      </div>
    </Panel>
  );
}
