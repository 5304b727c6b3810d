'use client';
import { LabelledCheckbox } from '../../ui/checkbox';
import { FieldGroup } from '../../ui/field';
import { Segmented } from '../../ui/segmented';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

export function DiscriminatorField() {
  const { draft, update, shown, existing } = useStudyForm();
  const levels = draft.discriminator;
  const isFixed = (level: boolean) => existing?.factors.discriminator.includes(level) ?? false;
  const set = (level: boolean, isChosen: boolean) =>
    update({ discriminator: isChosen ? [...levels, level] : levels.filter((other) => other !== level) });
  return (
    <FieldGroup
      label="Discriminator"
      path="factors.discriminator"
      error={problemAt(shown, 'factors.discriminator', true)}
      hint="MEAL V2’s adversarial part: tells the student’s output from the teachers’."
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        <LabelledCheckbox
          label="Off"
          checked={levels.includes(false)}
          disabled={isFixed(false)}
          onChange={(chosen) => set(false, chosen)}
        />
        <LabelledCheckbox
          label="On"
          checked={levels.includes(true)}
          disabled={isFixed(true)}
          onChange={(chosen) => set(true, chosen)}
        />
        {draft.design === 'one-at-a-time' && levels.length === 2 && (
          <span className="inline-flex items-center gap-2 text-ink-2 text-xs">
            Base
            <Segmented
              label="Base of the discriminator"
              value={levels[0] ? 'on' : 'off'}
              disabled={existing !== null}
              onChange={(base) => update({ discriminator: base === 'on' ? [true, false] : [false, true] })}
              options={[
                { value: 'off', label: 'Off' },
                { value: 'on', label: 'On' },
              ]}
            />
          </span>
        )}
      </div>
    </FieldGroup>
  );
}
