'use client';
import { Panel } from '../../ui/panel';
import { Switch } from '../../ui/switch';
import { useStudyForm } from './form-context';
import { SeedsField } from './seeds-field';

export function RepeatsSection() {
  const { draft, update, existing } = useStudyForm();
  return (
    <Panel title="Repeats and comparison">
      <div className="grid gap-5 sm:grid-cols-2">
        <SeedsField />
        <div data-path="baseline" className="pt-5">
          <Switch
            label="Student alone on hard labels"
            hint="The same budget without teachers, for every input size and seed: what distillation has to beat."
            checked={draft.baseline}
            disabled={existing?.baseline === true}
            onChange={(baseline) => update({ baseline })}
          />
        </div>
      </div>
    </Panel>
  );
}
